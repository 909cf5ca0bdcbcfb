-- MARTS.MOVIE_HISTORY: every version of every film, and what made it.
-- A version is compared with the last one before it that was not a removal: a film that returns may have changed.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.movie_history (
    {{ titles MARTS.movie_history }}
)
COMMENT = {{ comment MARTS.movie_history }}
AS
WITH film_version AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY source, movie_id ORDER BY valid_from) AS version,
        COUNT(*) OVER (PARTITION BY source, movie_id) AS versions,
        COALESCE(LAG(is_deleted) OVER (PARTITION BY source, movie_id ORDER BY valid_from), FALSE) AS was_deleted,
        LAG(IFF(is_deleted, NULL, movie_key)) IGNORE NULLS OVER (
            PARTITION BY source, movie_id ORDER BY valid_from
        ) AS compared_key
    FROM {{ database }}.CORE.dim_movie
),

-- Credits are put together for films with a history alone: most films have none.
credit AS (
    SELECT
        bridge.movie_key,
        NULLIF(
            LISTAGG(IFF(bridge.role = 'writer', bridge.credited_as, NULL), '|') WITHIN GROUP (ORDER BY bridge.position),
            ''
        ) AS writers,
        NULLIF(
            LISTAGG(IFF(bridge.role = 'cast', bridge.credited_as, NULL), '|') WITHIN GROUP (ORDER BY bridge.position),
            ''
        ) AS cast_members
    FROM {{ database }}.CORE.bridge_movie_person AS bridge
    INNER JOIN film_version ON bridge.movie_key = film_version.movie_key
    WHERE film_version.versions > 1
    GROUP BY bridge.movie_key
),

described AS (
    SELECT
        film_version.*,
        credit.writers,
        credit.cast_members
    FROM film_version
    LEFT JOIN credit ON film_version.movie_key = credit.movie_key
    WHERE film_version.versions > 1 AND NOT film_version.is_deleted
),

difference AS (
    SELECT
        new.movie_key,
        old.title AS previous_title,
        NULLIF(SUBSTR(
            {{ each compared with ||: IFF(new.{} IS DISTINCT FROM old.{}, ', {}', '') }},
            3
        ), '') AS changed_attributes,
        NULLIF(SUBSTR(
            {{ each compared with ||: IFF(new.{} IS DISTINCT FROM old.{}, '; {}: ' || COALESCE({text of old}, '(none)') || ' -> ' || COALESCE({text of new}, '(none)'), '') }},
            3
        ), '') AS changes
    FROM described AS new
    INNER JOIN described AS old ON new.compared_key = old.movie_key
)

SELECT
    film_version.source,
    film_version.movie_id,
    film_version.movie_key,
    film_version.version,
    film_version.versions,
    film_version.valid_from,
    film_version.valid_to,
    film_version.is_current,
    film_version.is_deleted,
    CASE
        WHEN film_version.is_deleted THEN 'removed'
        WHEN film_version.was_deleted THEN 'returned'
        WHEN film_version.version = 1 THEN 'added'
        ELSE 'changed'
    END AS event,
    IFF(
        difference.changed_attributes IS NULL, 0, REGEXP_COUNT(difference.changed_attributes, ',') + 1
    ) AS changed_attribute_count,
    difference.changed_attributes,
    difference.changes,
    film_version.title,
    difference.previous_title,
    film_version.type,
    film_version.year,
    film_version.primary_genre,
    film_version.genres,
    film_version.directors,
    film_version.runtime_minutes,
    film_version.release_date,
    film_version.certification,
    film_version.row_hash
FROM film_version
LEFT JOIN difference ON film_version.movie_key = difference.movie_key;
