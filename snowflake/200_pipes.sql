-- Pipes: each file of the archive is loaded once by its name; CSV copies are passed over.
-- The loader creates them, so that they load with its rights and not with those of set-up.
USE ROLE {{ database }}_LOADER;

CREATE PIPE IF NOT EXISTS {{ database }}.RAW.movies_pipe
AUTO_INGEST = TRUE
COMMENT = 'Loads movies from the archive.'
AS
COPY INTO {{ database }}.RAW.movies
FROM @{{ database }}.RAW.archive_stage/movies/
FILE_FORMAT = (FORMAT_NAME = '{{ database }}.RAW.parquet_format')
PATTERN = '.*[.]parquet'
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = (
    file_name = METADATA$FILENAME,
    file_row = METADATA$FILE_ROW_NUMBER,
    loaded_at = METADATA$START_SCAN_TIME
);

CREATE PIPE IF NOT EXISTS {{ database }}.RAW.movie_ratings_pipe
AUTO_INGEST = TRUE
COMMENT = 'Loads movie_ratings from the archive.'
AS
COPY INTO {{ database }}.RAW.movie_ratings
FROM @{{ database }}.RAW.archive_stage/movie_ratings/
FILE_FORMAT = (FORMAT_NAME = '{{ database }}.RAW.parquet_format')
PATTERN = '.*[.]parquet'
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = (
    file_name = METADATA$FILENAME,
    file_row = METADATA$FILE_ROW_NUMBER,
    loaded_at = METADATA$START_SCAN_TIME
);

CREATE PIPE IF NOT EXISTS {{ database }}.RAW.movie_genres_pipe
AUTO_INGEST = TRUE
COMMENT = 'Loads movie_genres from the archive.'
AS
COPY INTO {{ database }}.RAW.movie_genres
FROM @{{ database }}.RAW.archive_stage/movie_genres/
FILE_FORMAT = (FORMAT_NAME = '{{ database }}.RAW.parquet_format')
PATTERN = '.*[.]parquet'
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = (
    file_name = METADATA$FILENAME,
    file_row = METADATA$FILE_ROW_NUMBER,
    loaded_at = METADATA$START_SCAN_TIME
);

CREATE PIPE IF NOT EXISTS {{ database }}.RAW.movie_people_pipe
AUTO_INGEST = TRUE
COMMENT = 'Loads movie_people from the archive.'
AS
COPY INTO {{ database }}.RAW.movie_people
FROM @{{ database }}.RAW.archive_stage/movie_people/
FILE_FORMAT = (FORMAT_NAME = '{{ database }}.RAW.parquet_format')
PATTERN = '.*[.]parquet'
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = (
    file_name = METADATA$FILENAME,
    file_row = METADATA$FILE_ROW_NUMBER,
    loaded_at = METADATA$START_SCAN_TIME
);

CREATE PIPE IF NOT EXISTS {{ database }}.OPS.quarantined_rows_pipe
AUTO_INGEST = TRUE
COMMENT = 'Loads quarantined_rows from the archive.'
AS
COPY INTO {{ database }}.OPS.quarantined_rows
FROM @{{ database }}.RAW.archive_stage/quarantined_rows/
FILE_FORMAT = (FORMAT_NAME = '{{ database }}.RAW.parquet_format')
PATTERN = '.*[.]parquet'
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = (
    file_name = METADATA$FILENAME,
    file_row = METADATA$FILE_ROW_NUMBER,
    loaded_at = METADATA$START_SCAN_TIME
);

CREATE PIPE IF NOT EXISTS {{ database }}.RAW.batches_pipe
AUTO_INGEST = TRUE
COMMENT = 'Loads batches from the archive.'
AS
COPY INTO {{ database }}.RAW.batches
FROM @{{ database }}.RAW.archive_stage/batches/
FILE_FORMAT = (FORMAT_NAME = '{{ database }}.RAW.parquet_format')
PATTERN = '.*[.]parquet'
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = (
    file_name = METADATA$FILENAME,
    file_row = METADATA$FILE_ROW_NUMBER,
    loaded_at = METADATA$START_SCAN_TIME
);
