-- OPS.LOAD_FILES: append-only, by the first task; the second one reads it through a stream.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.load_files (
    table_name VARCHAR NOT NULL COMMENT 'Table that the file was loaded into.',
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    batch_id VARCHAR NOT NULL COMMENT 'Batch: time of extraction and the first 12 digits of the content''s hash.',
    transform_id VARCHAR NOT NULL COMMENT 'Hash of the code and options that made this row.',
    file_name VARCHAR NOT NULL COMMENT 'Path of the file that the row was loaded from, within the stage.',
    rows_loaded NUMBER(19, 0) NOT NULL COMMENT 'Rows of the file.',
    loaded_at TIMESTAMP_LTZ(6) NOT NULL COMMENT 'When the load of the file began, UTC.'
)
COMMENT = 'Files that arrived in RAW, as the streams brought them: what a batch has, against what it announces.';
