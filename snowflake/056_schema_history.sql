-- Which of these files were applied, and when: what decides whether a file is applied again.
CREATE OR ALTER TABLE {{ database }}.OPS.schema_history (
    file_name VARCHAR NOT NULL COMMENT 'Name of the file.',
    checksum VARCHAR NOT NULL COMMENT 'SHA-256 of its text with the parameters filled in.',
    applied_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When it was applied, UTC.',
    applied_by VARCHAR NOT NULL COMMENT 'The user who applied it.',
    seconds FLOAT NOT NULL COMMENT 'How long it took.'
)
COMMENT = 'SQL files that were applied, a row each time.';
