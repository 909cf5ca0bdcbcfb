-- What failed left its streams as they were, so this task runs again within a minute and finds it.
INSERT INTO {{ database }}.OPS.task_errors (
    query_id,
    graph_run,
    task_name,
    state,
    error_code,
    error_message,
    scheduled_at,
    completed_at,
    noted_at
)
SELECT
    runs.query_id,
    runs.graph_run_group_id,
    runs.name,
    runs.state,
    runs.error_code,
    runs.error_message,
    CONVERT_TIMEZONE('UTC', runs.scheduled_time)::TIMESTAMP_NTZ AS scheduled_at,
    CONVERT_TIMEZONE('UTC', runs.completed_time)::TIMESTAMP_NTZ AS completed_at,
    SYSDATE() AS noted_at
FROM TABLE({{ database }}.INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1000, ERROR_ONLY => TRUE)) AS runs
WHERE
    runs.database_name = '{{ database }}'
    AND runs.schema_name = 'CORE'
    AND runs.state IN ('FAILED', 'FAILED_AND_AUTO_SUSPENDED', 'CANCELLED')
    AND runs.query_id IS NOT NULL
    AND runs.query_id NOT IN (SELECT known.query_id FROM {{ database }}.OPS.task_errors AS known);
