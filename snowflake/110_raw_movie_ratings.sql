-- RAW.MOVIE_RATINGS: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.movie_ratings (
    {{ columns RAW.movie_ratings }}
)
COMMENT = {{ comment RAW.movie_ratings }};
