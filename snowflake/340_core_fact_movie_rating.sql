-- CORE.FACT_MOVIE_RATING: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.fact_movie_rating (
    movie_key VARCHAR NOT NULL COMMENT 'Version of the film; SHA-256 of source, movie_id and valid_from.',
    provider_key VARCHAR NOT NULL COMMENT 'SHA-256 of the provider.',
    date_key NUMBER(10, 0) NOT NULL COMMENT 'The date as a number, YYYYMMDD.',
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    movie_id VARCHAR NOT NULL COMMENT 'The film''s key in its source.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    rating NUMBER(5, 2) COMMENT 'Rating from 0 to 100; null where only the number of votes is known.',
    votes NUMBER(19, 0) COMMENT 'Number of votes or reviews behind it.'
)
COMMENT = 'A row a film, rating provider and day.';
