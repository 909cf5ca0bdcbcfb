-- CORE.BRIDGE_MOVIE_GENRE: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.bridge_movie_genre (
    movie_key VARCHAR NOT NULL COMMENT 'Version of the film; SHA-256 of source, movie_id and valid_from.',
    genre_key VARCHAR NOT NULL COMMENT 'SHA-256 of the genre in lower case.',
    position NUMBER(10, 0) NOT NULL COMMENT 'Place in the film''s list, from 1.',
    weight NUMBER(18, 12) NOT NULL COMMENT 'Share of the film, for sums that count each film once; the shares of a film sum to 1.',
    named_as VARCHAR NOT NULL COMMENT 'Genre as the source spells it for this film.'
)
COMMENT = 'Genres of each version of a film; a removed film has none.';
