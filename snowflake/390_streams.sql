-- Streams: what arrived in each table since the task graph last looked, and requests for a run of it.
CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movies_stream
ON TABLE {{ database }}.RAW.movies
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movies that the task graph has not noted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movie_ratings_stream
ON TABLE {{ database }}.RAW.movie_ratings
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movie_ratings that the task graph has not noted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movie_genres_stream
ON TABLE {{ database }}.RAW.movie_genres
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movie_genres that the task graph has not noted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.movie_people_stream
ON TABLE {{ database }}.RAW.movie_people
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of movie_people that the task graph has not noted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.OPS.quarantined_rows_stream
ON TABLE {{ database }}.OPS.quarantined_rows
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Rows of quarantined_rows that the task graph has not noted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.RAW.batches_stream
ON TABLE {{ database }}.RAW.batches
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Announcements that the task graph has not noted yet.';

CREATE STREAM IF NOT EXISTS {{ database }}.OPS.graph_wake_ups_stream
ON TABLE {{ database }}.OPS.graph_wake_ups
APPEND_ONLY = TRUE
SHOW_INITIAL_ROWS = TRUE
COMMENT = 'Requests that no run of the task graph has met yet.';
