-- RAW.MOVIE_GENRES: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.movie_genres (
    {{ columns RAW.movie_genres }}
)
COMMENT = {{ comment RAW.movie_genres }};
