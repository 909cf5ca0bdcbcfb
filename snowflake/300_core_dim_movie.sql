-- CORE.DIM_MOVIE: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.dim_movie (
    {{ columns CORE.dim_movie }}
)
COMMENT = {{ comment CORE.dim_movie }};
