-- OPS.DATA_QUALITY_RESULTS: append-only, by the last task.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.data_quality_results (
    rule VARCHAR NOT NULL COMMENT 'What has to hold.',
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    checked_rows NUMBER(19, 0) NOT NULL COMMENT 'Rows that were looked at.',
    offending_rows NUMBER(19, 0) NOT NULL COMMENT 'Rows that break the rule; 0 where it holds.',
    measured_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When it was measured, UTC.'
)
COMMENT = 'What the task graph found when it measured CORE after applying batches.';
