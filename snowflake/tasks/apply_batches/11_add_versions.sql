-- New versions, described as the winner of their first day describes the film.
INSERT INTO {{ database }}.CORE.dim_movie (
    movie_key, source, movie_id, valid_from, valid_to, is_current, is_deleted, row_hash, genres, directors,
    {{ each tracked: {} }}
)
SELECT
    added.movie_key,
    added.source,
    added.movie_id,
    added.valid_from,
    added.valid_to,
    added.valid_to = TO_DATE('9999-12-31', 'YYYY-MM-DD') AS is_current,
    FALSE AS is_deleted,
    added.row_hash,
    genres.names AS genres,
    directors.names AS directors,
    {{ each tracked: films.{} }}
FROM {{ database }}.RAW.movies AS films
INNER JOIN {{ database }}.CORE.work_new AS added
    ON
        films.source = added.source
        AND films.dt = added.valid_from
        AND films.batch_id = added.batch_id
        AND films.transform_id = added.transform_id
        AND films.movie_id = added.movie_id
LEFT JOIN (
    SELECT
        bridge.movie_key,
        LISTAGG(bridge.named_as, '|') WITHIN GROUP (ORDER BY bridge.position) AS names
    FROM {{ database }}.CORE.bridge_movie_genre AS bridge
    INNER JOIN {{ database }}.CORE.work_new AS named
        ON bridge.movie_key = named.movie_key
    GROUP BY bridge.movie_key
) AS genres
    ON added.movie_key = genres.movie_key
LEFT JOIN (
    SELECT
        bridge.movie_key,
        LISTAGG(bridge.credited_as, '|') WITHIN GROUP (ORDER BY bridge.position) AS names
    FROM {{ database }}.CORE.bridge_movie_person AS bridge
    INNER JOIN {{ database }}.CORE.work_new AS named
        ON bridge.movie_key = named.movie_key
    WHERE bridge.role = 'director'
    GROUP BY bridge.movie_key
) AS directors
    ON added.movie_key = directors.movie_key
WHERE NOT added.is_deleted
QUALIFY ROW_NUMBER() OVER (PARTITION BY films.file_name, films.file_row ORDER BY films.loaded_at) = 1;

-- A removed film keeps the attributes of its last version.
INSERT INTO {{ database }}.CORE.dim_movie (
    movie_key, source, movie_id, valid_from, valid_to, is_current, is_deleted, row_hash, genres, directors,
    {{ each tracked: {} }}
)
SELECT
    added.movie_key,
    added.source,
    added.movie_id,
    added.valid_from,
    added.valid_to,
    added.valid_to = TO_DATE('9999-12-31', 'YYYY-MM-DD') AS is_current,
    TRUE AS is_deleted,
    added.row_hash,
    films.genres,
    films.directors,
    {{ each tracked: films.{} }}
FROM {{ database }}.CORE.dim_movie AS films
INNER JOIN {{ database }}.CORE.work_new AS added
    ON films.movie_key = added.described_by
WHERE added.is_deleted;
