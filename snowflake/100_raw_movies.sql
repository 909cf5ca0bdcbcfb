-- RAW.MOVIES: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.movies (
    {{ columns RAW.movies }}
)
COMMENT = {{ comment RAW.movies }};
