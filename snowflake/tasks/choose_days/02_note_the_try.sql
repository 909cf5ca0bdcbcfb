-- Committed before the work begins: a try that fails, or is cut off, counts.
UPDATE {{ database }}.OPS.pending_days
SET
    attempts = pending_days.attempts + 1,
    tried_at = SYSDATE()
FROM {{ database }}.CORE.work_chosen AS chosen
WHERE pending_days.source = chosen.source AND pending_days.dt = chosen.dt;
