-- OPS.QUARANTINED_ROWS: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.OPS.quarantined_rows (
    {{ columns OPS.quarantined_rows }}
)
-- For its stream; what a table's file does not name is unset.
CHANGE_TRACKING = TRUE
COMMENT = {{ comment OPS.quarantined_rows }};
