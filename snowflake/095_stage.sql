-- The archive bucket as a stage.
CREATE OR ALTER STAGE {{ database }}.RAW.archive_stage
URL = {{ archive_url }}
STORAGE_INTEGRATION = {{ database }}_ARCHIVE
FILE_FORMAT = (FORMAT_NAME = '{{ database }}.RAW.parquet_format')
COMMENT = 'The archive bucket.';
