-- RAW.MOVIE_PEOPLE: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.movie_people (
    {{ columns RAW.movie_people }}
)
COMMENT = {{ comment RAW.movie_people }};
