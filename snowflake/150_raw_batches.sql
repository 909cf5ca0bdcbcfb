-- RAW.BATCHES: append-only; a pipe loads it from the archive.
CREATE OR ALTER TABLE {{ database }}.RAW.batches (
    {{ columns RAW.batches }}
)
COMMENT = {{ comment RAW.batches }};
