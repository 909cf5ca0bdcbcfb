-- OPS.TASK_ERRORS: append-only, by the first task.
CREATE OR ALTER TABLE {{ database }}.OPS.task_errors (
    {{ columns OPS.task_errors }}
)
COMMENT = {{ comment OPS.task_errors }};
