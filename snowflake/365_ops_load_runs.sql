-- OPS.LOAD_RUNS: append-only, by the orchestrator.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.load_runs (
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    batch_id VARCHAR NOT NULL COMMENT 'Batch: time of extraction and the first 12 digits of the content''s hash.',
    transform_id VARCHAR NOT NULL COMMENT 'Hash of the code and options that made this row.',
    run_id VARCHAR NOT NULL COMMENT 'The orchestrator''s run.',
    recorded_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When it was noted, UTC.'
)
COMMENT = 'Which run of the orchestrator brought which version of a batch into the warehouse.';
