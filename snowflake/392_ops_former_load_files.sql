-- From a version that counted files in OPS.LOAD_FILES: what it had noted and not applied is looked at again, and the table
-- goes, because RAW itself says what arrived.
INSERT INTO {{ database }}.OPS.pending_days (source, dt, arrived_at, attempts)
SELECT DISTINCT
    batches.source,
    batches.dt,
    SYSDATE() AS arrived_at,
    0 AS attempts
FROM {{ database }}.RAW.batches
LEFT JOIN {{ database }}.OPS.pending_days AS known
    ON batches.source = known.source AND batches.dt = known.dt
WHERE known.source IS NULL;

INSERT INTO {{ database }}.OPS.graph_wake_ups (noted_at)
SELECT MAX(SYSDATE()) AS noted_at
FROM {{ database }}.OPS.pending_days
HAVING COUNT(*) > 0;

DROP STREAM IF EXISTS {{ database }}.OPS.load_files_stream;

DROP TABLE IF EXISTS {{ database }}.OPS.load_files;

DROP TABLE IF EXISTS {{ database }}.CORE.work_touched;
