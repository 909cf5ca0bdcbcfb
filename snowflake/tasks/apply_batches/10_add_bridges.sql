-- Names that differ in nothing but case are one genre and one person; the first place counts. Weights are cut after
-- 12 digits, and the first place takes what is left, so that they sum to exactly 1.
INSERT INTO {{ database }}.CORE.bridge_movie_genre (movie_key, genre_key, position, weight, named_as)
SELECT
    places.movie_key,
    places.genre_key,
    places.position,
    (
        CASE
            WHEN places.place = 1
                THEN 1000000000000 - FLOOR(1000000000000 / places.places) * (places.places - 1)
            ELSE FLOOR(1000000000000 / places.places)
        END
    )::NUMBER(18, 0) * 0.000000000001 AS weight,
    places.genre
FROM (
    SELECT
        named.*,
        ROW_NUMBER() OVER (PARTITION BY named.movie_key ORDER BY named.position) AS place,
        COUNT(*) OVER (PARTITION BY named.movie_key) AS places
    FROM (
        SELECT
            added.movie_key,
            genres.genre,
            genres.position,
            SHA2(LOWER(genres.genre), 256) AS genre_key
        FROM {{ database }}.RAW.movie_genres AS genres
        INNER JOIN {{ database }}.CORE.work_new AS added
            ON
                genres.source = added.source
                AND genres.dt = added.valid_from
                AND genres.batch_id = added.batch_id
                AND genres.transform_id = added.transform_id
                AND genres.movie_id = added.movie_id
        WHERE NOT added.is_deleted
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY added.movie_key, LOWER(genres.genre) ORDER BY genres.position
        ) = 1
    ) AS named
) AS places;

INSERT INTO {{ database }}.CORE.bridge_movie_person (movie_key, role, person_key, position, weight, credited_as)
SELECT
    places.movie_key,
    places.role,
    places.person_key,
    places.position,
    (
        CASE
            WHEN places.place = 1
                THEN 1000000000000 - FLOOR(1000000000000 / places.places) * (places.places - 1)
            ELSE FLOOR(1000000000000 / places.places)
        END
    )::NUMBER(18, 0) * 0.000000000001 AS weight,
    places.person
FROM (
    SELECT
        named.*,
        ROW_NUMBER() OVER (PARTITION BY named.movie_key, named.role ORDER BY named.position) AS place,
        COUNT(*) OVER (PARTITION BY named.movie_key, named.role) AS places
    FROM (
        SELECT
            added.movie_key,
            people.role,
            people.person,
            people.position,
            SHA2(LOWER(people.person), 256) AS person_key
        FROM {{ database }}.RAW.movie_people AS people
        INNER JOIN {{ database }}.CORE.work_new AS added
            ON
                people.source = added.source
                AND people.dt = added.valid_from
                AND people.batch_id = added.batch_id
                AND people.transform_id = added.transform_id
                AND people.movie_id = added.movie_id
        WHERE NOT added.is_deleted
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY added.movie_key, people.role, LOWER(people.person) ORDER BY people.position
        ) = 1
    ) AS named
) AS places;

INSERT INTO {{ database }}.CORE.work_changes (
    table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
)
SELECT
    'bridge_movie_genre' AS table_name, moved.source, moved.first_dt AS dt, COUNT(*) AS rows_inserted,
    0 AS rows_updated, 0 AS rows_closed, 0 AS rows_deleted
FROM {{ database }}.CORE.bridge_movie_genre AS bridge
INNER JOIN {{ database }}.CORE.work_new AS added
    ON bridge.movie_key = added.movie_key
INNER JOIN {{ database }}.CORE.work_films AS moved
    ON added.source = moved.source AND added.movie_id = moved.movie_id
GROUP BY moved.source, moved.first_dt
UNION ALL
SELECT
    'bridge_movie_person' AS table_name, moved.source, moved.first_dt AS dt, COUNT(*) AS rows_inserted,
    0 AS rows_updated, 0 AS rows_closed, 0 AS rows_deleted
FROM {{ database }}.CORE.bridge_movie_person AS bridge
INNER JOIN {{ database }}.CORE.work_new AS added
    ON bridge.movie_key = added.movie_key
INNER JOIN {{ database }}.CORE.work_films AS moved
    ON added.source = moved.source AND added.movie_id = moved.movie_id
GROUP BY moved.source, moved.first_dt;
