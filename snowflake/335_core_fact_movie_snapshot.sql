-- CORE.FACT_MOVIE_SNAPSHOT: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.fact_movie_snapshot (
    movie_key VARCHAR NOT NULL COMMENT 'Version of the film; SHA-256 of source, movie_id and valid_from.',
    date_key NUMBER(10, 0) NOT NULL COMMENT 'The date as a number, YYYYMMDD.',
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    movie_id VARCHAR NOT NULL COMMENT 'The film''s key in its source.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    popularity NUMBER(18, 4) COMMENT 'The source''s measure of popularity.',
    budget NUMBER(18, 2) COMMENT 'Budget in US dollars.',
    box_office NUMBER(18, 2) COMMENT 'Box office takings in US dollars.',
    profit NUMBER(18, 2) COMMENT 'Box office less budget, where both are known.',
    return_on_investment NUMBER(18, 4) COMMENT 'Profit divided by budget, where both are known.',
    average_rating NUMBER(5, 2) COMMENT 'Mean of the providers'' ratings, 0 to 100.',
    rating_band VARCHAR COMMENT 'acclaimed (80 and over), good (60), mixed (40) or poor, by average_rating.'
)
COMMENT = 'A row a film and day: what the day''s winning batch says of it.';
