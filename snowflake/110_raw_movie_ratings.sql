-- RAW.MOVIE_RATINGS: append-only; a pipe loads it from the archive.
CREATE TABLE IF NOT EXISTS {{ database }}.RAW.movie_ratings (
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    batch_id VARCHAR NOT NULL COMMENT 'Batch: time of extraction and the first 12 digits of the content''s hash.',
    transform_id VARCHAR NOT NULL COMMENT 'Hash of the code and options that made this row.',
    movie_id VARCHAR NOT NULL COMMENT 'The film''s key in its source.',
    provider VARCHAR NOT NULL COMMENT 'Who rated: imdb, metacritic, rotten_tomatoes or critics.',
    rating NUMBER(5, 2) COMMENT 'Rating from 0 to 100; null where only the number of votes is known.',
    votes NUMBER(19, 0) COMMENT 'Number of votes or reviews behind it.',
    row_hash VARCHAR NOT NULL COMMENT 'SHA-256 of the row''s values, version columns left out.',
    file_name VARCHAR NOT NULL COMMENT 'Path of the file that the row was loaded from, within the stage.',
    file_row NUMBER(19, 0) NOT NULL COMMENT 'Number of the row in its file.',
    loaded_at TIMESTAMP_LTZ(6) NOT NULL COMMENT 'When the load of the file began, UTC.'
)
COMMENT = 'Ratings: a row a film and provider.';
