-- The days are done, whether they had another winner or not: what arrives later notes them again.
DELETE FROM {{ database }}.OPS.pending_days
USING {{ database }}.CORE.work_chosen AS chosen
WHERE
    pending_days.source = chosen.source
    AND pending_days.dt = chosen.dt
    AND pending_days.arrived_at = chosen.arrived_at;

-- The wake-ups until now are used up; what is left to do asks for another run.
INSERT INTO {{ database }}.OPS.graph_wake_ups (noted_at)
SELECT noted_at
FROM {{ database }}.OPS.graph_wake_ups_stream
WHERE FALSE;

INSERT INTO {{ database }}.OPS.graph_wake_ups (noted_at)
SELECT MAX(SYSDATE()) AS noted_at
FROM {{ database }}.OPS.pending_days AS pending
WHERE pending.attempts < {{ attempts_a_day }}
HAVING COUNT(*) > 0;
