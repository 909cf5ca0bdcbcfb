-- OPS.CORE_CHANGES: append-only, by the second task.
CREATE OR ALTER TABLE {{ database }}.OPS.core_changes (
    {{ columns OPS.core_changes }}
)
COMMENT = {{ comment OPS.core_changes }};
