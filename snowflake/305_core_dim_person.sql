-- CORE.DIM_PERSON: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.dim_person (
    {{ columns CORE.dim_person }}
)
COMMENT = {{ comment CORE.dim_person }};
