-- OPS.PENDING_DAYS: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.OPS.pending_days (
    {{ columns OPS.pending_days }}
)
COMMENT = {{ comment OPS.pending_days }};
