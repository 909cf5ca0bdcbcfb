-- CORE.DIM_GENRE: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.dim_genre (
    genre_key VARCHAR NOT NULL COMMENT 'SHA-256 of the genre in lower case.',
    genre_name VARCHAR NOT NULL COMMENT 'Genre as the film version with the latest valid_from spells it.'
)
COMMENT = 'Genres, SCD type 1: a row a genre, whatever its case; the newest spelling is kept.';
