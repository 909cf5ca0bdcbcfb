-- Parquet as the transform writes it: dates, decimals and timestamps by their logical types.
CREATE OR ALTER FILE FORMAT {{ database }}.RAW.parquet_format
TYPE = PARQUET
USE_LOGICAL_TYPE = TRUE
COMMENT = 'Files of the archive.';
