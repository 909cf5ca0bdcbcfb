-- Parquet as the transform writes it: dates, decimals and timestamps by their logical types.
CREATE FILE FORMAT IF NOT EXISTS {{ database }}.RAW.parquet_format
TYPE = PARQUET
USE_LOGICAL_TYPE = TRUE
COMMENT = 'Files of the archive.';
