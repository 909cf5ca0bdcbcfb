-- OPS.TASK_ERRORS: append-only, by the first task.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.task_errors (
    query_id VARCHAR NOT NULL COMMENT 'Query that the task''s run was.',
    graph_run VARCHAR NOT NULL COMMENT 'Run of the graph that it belonged to.',
    task_name VARCHAR NOT NULL COMMENT 'Task of CORE.',
    state VARCHAR NOT NULL COMMENT 'FAILED, FAILED_AND_AUTO_SUSPENDED or CANCELLED.',
    error_code VARCHAR COMMENT 'Snowflake''s number of the error.',
    error_message VARCHAR COMMENT 'Snowflake''s words for it.',
    scheduled_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When the run was due, UTC.',
    completed_at TIMESTAMP_NTZ(6) COMMENT 'When it ended, UTC.',
    noted_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When the next run of the graph noted it, UTC.'
)
COMMENT = 'Runs of tasks that failed, kept beyond the days that TASK_HISTORY goes back.';
