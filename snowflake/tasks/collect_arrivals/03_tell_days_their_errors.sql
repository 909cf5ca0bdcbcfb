-- A day that was tried and is still pending gets the error that its try ended with: the first one after it began.
UPDATE {{ database }}.OPS.pending_days
SET
    error_code = failed.error_code,
    error_message = failed.error_message
FROM (
    SELECT
        tried.source,
        tried.dt,
        errors.error_code,
        errors.error_message
    FROM {{ database }}.OPS.pending_days AS tried
    INNER JOIN {{ database }}.OPS.task_errors AS errors
        ON tried.tried_at <= errors.completed_at
    WHERE errors.task_name = 'APPLY_BATCHES'
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY tried.source, tried.dt ORDER BY errors.completed_at ASC, errors.query_id ASC
    ) = 1
) AS failed
WHERE pending_days.source = failed.source AND pending_days.dt = failed.dt;
