-- Names that may change: those that only a version that goes away is spelled like.
INSERT INTO {{ database }}.CORE.work_genres (genre_key)
SELECT DISTINCT bridge.genre_key
FROM {{ database }}.CORE.bridge_movie_genre AS bridge
INNER JOIN {{ database }}.CORE.work_gone AS gone
    ON bridge.movie_key = gone.movie_key
INNER JOIN {{ database }}.CORE.dim_genre AS known
    ON bridge.genre_key = known.genre_key AND bridge.named_as = known.genre_name;

INSERT INTO {{ database }}.CORE.work_people (person_key)
SELECT DISTINCT bridge.person_key
FROM {{ database }}.CORE.bridge_movie_person AS bridge
INNER JOIN {{ database }}.CORE.work_gone AS gone
    ON bridge.movie_key = gone.movie_key
INNER JOIN {{ database }}.CORE.dim_person AS known
    ON bridge.person_key = known.person_key AND bridge.credited_as = known.person_name;
