-- The database; what it holds can be recovered for a day.
CREATE DATABASE IF NOT EXISTS {{ database }}
DATA_RETENTION_TIME_IN_DAYS = 1
COMMENT = 'Movie Platform.';
