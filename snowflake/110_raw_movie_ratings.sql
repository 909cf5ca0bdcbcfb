-- RAW.MOVIE_RATINGS: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.movie_ratings (
    {{ columns RAW.movie_ratings }}
)
-- For its stream; what a table's file does not name is unset.
CHANGE_TRACKING = TRUE
COMMENT = {{ comment RAW.movie_ratings }};
