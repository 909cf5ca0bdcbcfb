-- CORE.APPLIED_DAYS: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.applied_days (
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    batch_id VARCHAR NOT NULL COMMENT 'Batch: time of extraction and the first 12 digits of the content''s hash.',
    transform_id VARCHAR NOT NULL COMMENT 'Hash of the code and options that made this row.',
    load_type VARCHAR NOT NULL COMMENT 'full or delta.',
    extracted_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When the source was read, UTC.',
    content_id VARCHAR NOT NULL COMMENT 'SHA-256 of the batch''s rows as a multiset, columns, source and load type.',
    removes BOOLEAN NOT NULL COMMENT 'Whether films that are missing on the day count as removed: a full load without keyless quarantined rows.'
)
COMMENT = 'The winning version of each source and day: what the rest of CORE shows.';
