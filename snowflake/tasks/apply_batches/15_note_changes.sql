-- What was done, by day and table.
INSERT INTO {{ database }}.OPS.core_changes (
    source, dt, batch_id, transform_id, table_name, rows_inserted, rows_updated, rows_closed, rows_deleted,
    applied_at
)
SELECT
    days.source,
    days.dt,
    days.batch_id,
    days.transform_id,
    changes.table_name,
    SUM(changes.rows_inserted) AS rows_inserted,
    SUM(changes.rows_updated) AS rows_updated,
    SUM(changes.rows_closed) AS rows_closed,
    SUM(changes.rows_deleted) AS rows_deleted,
    SYSDATE() AS applied_at
FROM {{ database }}.CORE.work_changes AS changes
INNER JOIN {{ database }}.CORE.work_days AS days
    ON changes.source = days.source AND changes.dt = days.dt
GROUP BY days.source, days.dt, days.batch_id, days.transform_id, changes.table_name;
