-- OPS.CORE_CHANGES: append-only, by the second task.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.core_changes (
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    batch_id VARCHAR NOT NULL COMMENT 'Batch: time of extraction and the first 12 digits of the content''s hash.',
    transform_id VARCHAR NOT NULL COMMENT 'Hash of the code and options that made this row.',
    table_name VARCHAR NOT NULL COMMENT 'Table of CORE.',
    rows_inserted NUMBER(19, 0) NOT NULL COMMENT 'Rows that were added.',
    rows_updated NUMBER(19, 0) NOT NULL COMMENT 'Rows that were changed in place, closed ones among them.',
    rows_closed NUMBER(19, 0) NOT NULL COMMENT 'Versions that were open before and are not any more.',
    rows_deleted NUMBER(19, 0) NOT NULL COMMENT 'Rows that were taken away.',
    applied_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When the batch was applied, UTC.'
)
COMMENT = 'What applying a day''s winner did to a table of CORE.';
