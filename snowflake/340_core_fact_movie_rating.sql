-- CORE.FACT_MOVIE_RATING: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.fact_movie_rating (
    {{ columns CORE.fact_movie_rating }}
)
COMMENT = {{ comment CORE.fact_movie_rating }};
