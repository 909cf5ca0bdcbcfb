-- CORE.BRIDGE_MOVIE_PERSON: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.bridge_movie_person (
    {{ columns CORE.bridge_movie_person }}
)
COMMENT = {{ comment CORE.bridge_movie_person }};
