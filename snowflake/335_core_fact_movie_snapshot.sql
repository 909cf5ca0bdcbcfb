-- CORE.FACT_MOVIE_SNAPSHOT: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.fact_movie_snapshot (
    {{ columns CORE.fact_movie_snapshot }}
)
COMMENT = {{ comment CORE.fact_movie_snapshot }};
