-- RAW.MOVIE_GENRES: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.movie_genres (
    {{ columns RAW.movie_genres }}
)
-- For its stream; what a table's file does not name is unset.
CHANGE_TRACKING = TRUE
COMMENT = {{ comment RAW.movie_genres }};
