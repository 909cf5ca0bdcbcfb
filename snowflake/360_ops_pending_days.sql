-- OPS.PENDING_DAYS: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.pending_days (
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    arrived_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When something of the day arrived last, UTC.',
    attempts NUMBER(10, 0) NOT NULL COMMENT 'How often applying the day was begun since then.',
    tried_at TIMESTAMP_NTZ(6) COMMENT 'When it was begun last, UTC.',
    error_code VARCHAR COMMENT 'Snowflake''s number of the error that the last try ended with.',
    error_message VARCHAR COMMENT 'Snowflake''s words for it.'
)
COMMENT = 'Days that something arrived for and CORE does not show yet; one that failed too often waits here.';
