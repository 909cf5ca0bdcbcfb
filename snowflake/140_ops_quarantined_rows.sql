-- OPS.QUARANTINED_ROWS: append-only; a pipe loads it from the archive.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.quarantined_rows (
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    batch_id VARCHAR NOT NULL COMMENT 'Batch: time of extraction and the first 12 digits of the content''s hash.',
    transform_id VARCHAR NOT NULL COMMENT 'Hash of the code and options that made this row.',
    movie_id VARCHAR COMMENT 'The film''s key where the row has one.',
    rule_code VARCHAR NOT NULL COMMENT 'Code of the rule that the row broke.',
    message VARCHAR NOT NULL COMMENT 'What is wrong, in a sentence.',
    origin VARCHAR NOT NULL COMMENT 'reader (rejected at extract) or transform (broke a rule).',
    line_number NUMBER(19, 0) COMMENT 'Line in the source file, for rows that the reader rejected.',
    raw_row VARCHAR NOT NULL COMMENT 'The row as it came: a JSON object, or the reader''s raw text.',
    occurrence NUMBER(10, 0) NOT NULL COMMENT 'Counts identical quarantined rows of a batch, from 1.',
    row_hash VARCHAR NOT NULL COMMENT 'SHA-256 of the row''s values, version columns left out.',
    file_name VARCHAR NOT NULL COMMENT 'Path of the file that the row was loaded from, within the stage.',
    file_row NUMBER(19, 0) NOT NULL COMMENT 'Number of the row in its file.',
    loaded_at TIMESTAMP_LTZ(6) NOT NULL COMMENT 'When the load of the file began, UTC.'
)
COMMENT = 'Rows that broke a rule of the contract or that the reader could not make a row of.';
