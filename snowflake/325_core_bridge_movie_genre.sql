-- CORE.BRIDGE_MOVIE_GENRE: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.bridge_movie_genre (
    {{ columns CORE.bridge_movie_genre }}
)
COMMENT = {{ comment CORE.bridge_movie_genre }};
