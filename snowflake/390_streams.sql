-- Streams: what arrived in each table since the task graph last looked, and which days the second task has to look at.
CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movies_stream
ON TABLE {{ database }}.RAW.movies
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movies that the task graph has not counted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movie_ratings_stream
ON TABLE {{ database }}.RAW.movie_ratings
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movie_ratings that the task graph has not counted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movie_genres_stream
ON TABLE {{ database }}.RAW.movie_genres
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movie_genres that the task graph has not counted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movie_people_stream
ON TABLE {{ database }}.RAW.movie_people
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movie_people that the task graph has not counted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.OPS.quarantined_rows_stream
ON TABLE {{ database }}.OPS.quarantined_rows
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of quarantined_rows that the task graph has not counted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.batches_stream
ON TABLE {{ database }}.RAW.batches
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Announcements that the task graph has not counted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.OPS.load_files_stream
ON TABLE {{ database }}.OPS.load_files
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Files whose days the task graph has not looked at yet.';
