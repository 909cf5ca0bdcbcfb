-- CORE.DIM_GENRE: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.dim_genre (
    {{ columns CORE.dim_genre }}
)
COMMENT = {{ comment CORE.dim_genre }};
