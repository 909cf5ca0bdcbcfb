-- A day that may still be tried keeps the graph running, whatever becomes of this run.
INSERT INTO {{ database }}.OPS.graph_wake_ups (noted_at)
SELECT MAX(SYSDATE()) AS noted_at
FROM {{ database }}.OPS.pending_days AS pending
WHERE pending.attempts < {{ attempts_a_day }}
HAVING COUNT(*) > 0;
