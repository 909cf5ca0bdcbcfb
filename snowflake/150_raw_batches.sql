-- RAW.BATCHES: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.batches (
    {{ columns RAW.batches }}
)
-- For its stream; what a table's file does not name is unset.
CHANGE_TRACKING = TRUE
COMMENT = {{ comment RAW.batches }};
