-- CORE.BRIDGE_MOVIE_PERSON: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.bridge_movie_person (
    movie_key VARCHAR NOT NULL COMMENT 'Version of the film; SHA-256 of source, movie_id and valid_from.',
    role VARCHAR NOT NULL COMMENT 'director, writer or cast.',
    person_key VARCHAR NOT NULL COMMENT 'SHA-256 of the name in lower case.',
    position NUMBER(10, 0) NOT NULL COMMENT 'Place in the list of the role, from 1.',
    weight NUMBER(18, 12) NOT NULL COMMENT 'Share of the film, for sums that count each film once; the shares of a film and role sum to 1.',
    credited_as VARCHAR NOT NULL COMMENT 'Name as the source spells it for this film.'
)
COMMENT = 'People of each version of a film by role; a removed film has none.';
