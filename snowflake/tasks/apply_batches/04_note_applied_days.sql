-- The new winners of the days.
DELETE FROM {{ database }}.CORE.applied_days
USING {{ database }}.CORE.work_days AS days
WHERE applied_days.source = days.source AND applied_days.dt = days.dt;

INSERT INTO {{ database }}.CORE.applied_days (
    source, dt, batch_id, transform_id, load_type, extracted_at, content_id, removes
)
SELECT source, dt, batch_id, transform_id, load_type, extracted_at, content_id, removes
FROM {{ database }}.CORE.work_days;
