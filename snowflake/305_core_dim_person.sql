-- CORE.DIM_PERSON: kept by the task graph.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.dim_person (
    person_key VARCHAR NOT NULL COMMENT 'SHA-256 of the name in lower case.',
    person_name VARCHAR NOT NULL COMMENT 'Name as the film version with the latest valid_from spells it.'
)
COMMENT = 'People, SCD type 1: a row a name, whatever its case; the newest spelling is kept.';
