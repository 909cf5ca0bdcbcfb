-- OPS.QUARANTINED_ROWS: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.OPS.quarantined_rows (
    {{ columns OPS.quarantined_rows }}
)
COMMENT = {{ comment OPS.quarantined_rows }};
