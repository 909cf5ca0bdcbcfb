-- MARTS.MOVIE_HISTORY: every version of every film, and what made it.
-- A version is compared with the last one before it that was not a removal: a film that returns may have changed.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.movie_history (
    source COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    movie_id COMMENT 'The film''s key in its source.',
    movie_key COMMENT 'Version of the film; SHA-256 of source, movie_id and valid_from.',
    version COMMENT 'Number of the version, from 1.',
    versions COMMENT 'Versions that the film has.',
    valid_from COMMENT 'First day on which the version is true.',
    valid_to COMMENT 'First day on which it is not any more; 9999-12-31 while open.',
    is_current COMMENT 'Whether the version is open.',
    is_deleted COMMENT 'Whether the film is removed from the source in this version.',
    event COMMENT 'What the version is: added, changed, removed, returned.',
    changed_attribute_count COMMENT 'Attributes that differ from the last version that was not a removal.',
    changed_attributes COMMENT 'Their names, joined by '', ''; null where none differs.',
    changes COMMENT 'Each of them as ''name: old -> new'', joined by ''; ''; (none) stands for null.',
    title COMMENT 'Title.',
    previous_title COMMENT 'Title in the version that it is compared with.',
    type COMMENT 'Kind of title: movie, series, short and so on.',
    year COMMENT 'Year of release, or the first of a range.',
    primary_genre COMMENT 'The first genre that the source names.',
    genres COMMENT 'Genres in the source''s order, joined by ''|''.',
    directors COMMENT 'Directors in the source''s order, joined by ''|''.',
    runtime_minutes COMMENT 'Running time in minutes.',
    release_date COMMENT 'Date of release; the first day of its month or year where only that is known.',
    certification COMMENT 'Age certification.',
    row_hash COMMENT 'SHA-256 of the tracked attributes, genres and people; a removed film keeps that of its last version.'
)
COMMENT = 'Every version of every film laid open: from when to when it was true, and what made it.'
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
            IFF(new.title IS DISTINCT FROM old.title, ', title', '')
            || IFF(new.original_title IS DISTINCT FROM old.original_title, ', original_title', '')
            || IFF(new.title_sort_key IS DISTINCT FROM old.title_sort_key, ', title_sort_key', '')
            || IFF(new.type IS DISTINCT FROM old.type, ', type', '')
            || IFF(new.year IS DISTINCT FROM old.year, ', year', '')
            || IFF(new.year_end IS DISTINCT FROM old.year_end, ', year_end', '')
            || IFF(new.release_date IS DISTINCT FROM old.release_date, ', release_date', '')
            || IFF(new.release_date_precision IS DISTINCT FROM old.release_date_precision, ', release_date_precision', '')
            || IFF(new.release_quarter IS DISTINCT FROM old.release_quarter, ', release_quarter', '')
            || IFF(new.decade IS DISTINCT FROM old.decade, ', decade', '')
            || IFF(new.runtime_minutes IS DISTINCT FROM old.runtime_minutes, ', runtime_minutes', '')
            || IFF(new.primary_genre IS DISTINCT FROM old.primary_genre, ', primary_genre', '')
            || IFF(new.genres IS DISTINCT FROM old.genres, ', genres', '')
            || IFF(new.directors IS DISTINCT FROM old.directors, ', directors', '')
            || IFF(new.writers IS DISTINCT FROM old.writers, ', writers', '')
            || IFF(new.cast_members IS DISTINCT FROM old.cast_members, ', cast_members', '')
            || IFF(new.imdb_id IS DISTINCT FROM old.imdb_id, ', imdb_id', '')
            || IFF(new.languages IS DISTINCT FROM old.languages, ', languages', '')
            || IFF(new.countries IS DISTINCT FROM old.countries, ', countries', '')
            || IFF(new.production_companies IS DISTINCT FROM old.production_companies, ', production_companies', '')
            || IFF(new.certification IS DISTINCT FROM old.certification, ', certification', '')
            || IFF(new.overview IS DISTINCT FROM old.overview, ', overview', '')
            || IFF(new.awards IS DISTINCT FROM old.awards, ', awards', '')
            || IFF(new.homepage IS DISTINCT FROM old.homepage, ', homepage', '')
            || IFF(new.poster_url IS DISTINCT FROM old.poster_url, ', poster_url', ''),
            3
        ), '') AS changed_attributes,
        NULLIF(SUBSTR(
            IFF(new.title IS DISTINCT FROM old.title, '; title: ' || COALESCE(old.title, '(none)') || ' -> ' || COALESCE(new.title, '(none)'), '')
            || IFF(new.original_title IS DISTINCT FROM old.original_title, '; original_title: ' || COALESCE(old.original_title, '(none)') || ' -> ' || COALESCE(new.original_title, '(none)'), '')
            || IFF(new.title_sort_key IS DISTINCT FROM old.title_sort_key, '; title_sort_key: ' || COALESCE(old.title_sort_key, '(none)') || ' -> ' || COALESCE(new.title_sort_key, '(none)'), '')
            || IFF(new.type IS DISTINCT FROM old.type, '; type: ' || COALESCE(old.type, '(none)') || ' -> ' || COALESCE(new.type, '(none)'), '')
            || IFF(new.year IS DISTINCT FROM old.year, '; year: ' || COALESCE(CAST(old.year AS VARCHAR), '(none)') || ' -> ' || COALESCE(CAST(new.year AS VARCHAR), '(none)'), '')
            || IFF(new.year_end IS DISTINCT FROM old.year_end, '; year_end: ' || COALESCE(CAST(old.year_end AS VARCHAR), '(none)') || ' -> ' || COALESCE(CAST(new.year_end AS VARCHAR), '(none)'), '')
            || IFF(new.release_date IS DISTINCT FROM old.release_date, '; release_date: ' || COALESCE(TO_CHAR(old.release_date, 'YYYY-MM-DD'), '(none)') || ' -> ' || COALESCE(TO_CHAR(new.release_date, 'YYYY-MM-DD'), '(none)'), '')
            || IFF(new.release_date_precision IS DISTINCT FROM old.release_date_precision, '; release_date_precision: ' || COALESCE(old.release_date_precision, '(none)') || ' -> ' || COALESCE(new.release_date_precision, '(none)'), '')
            || IFF(new.release_quarter IS DISTINCT FROM old.release_quarter, '; release_quarter: ' || COALESCE(CAST(old.release_quarter AS VARCHAR), '(none)') || ' -> ' || COALESCE(CAST(new.release_quarter AS VARCHAR), '(none)'), '')
            || IFF(new.decade IS DISTINCT FROM old.decade, '; decade: ' || COALESCE(CAST(old.decade AS VARCHAR), '(none)') || ' -> ' || COALESCE(CAST(new.decade AS VARCHAR), '(none)'), '')
            || IFF(new.runtime_minutes IS DISTINCT FROM old.runtime_minutes, '; runtime_minutes: ' || COALESCE(CAST(old.runtime_minutes AS VARCHAR), '(none)') || ' -> ' || COALESCE(CAST(new.runtime_minutes AS VARCHAR), '(none)'), '')
            || IFF(new.primary_genre IS DISTINCT FROM old.primary_genre, '; primary_genre: ' || COALESCE(old.primary_genre, '(none)') || ' -> ' || COALESCE(new.primary_genre, '(none)'), '')
            || IFF(new.genres IS DISTINCT FROM old.genres, '; genres: ' || COALESCE(old.genres, '(none)') || ' -> ' || COALESCE(new.genres, '(none)'), '')
            || IFF(new.directors IS DISTINCT FROM old.directors, '; directors: ' || COALESCE(old.directors, '(none)') || ' -> ' || COALESCE(new.directors, '(none)'), '')
            || IFF(new.writers IS DISTINCT FROM old.writers, '; writers: ' || COALESCE(old.writers, '(none)') || ' -> ' || COALESCE(new.writers, '(none)'), '')
            || IFF(new.cast_members IS DISTINCT FROM old.cast_members, '; cast_members: ' || COALESCE(old.cast_members, '(none)') || ' -> ' || COALESCE(new.cast_members, '(none)'), '')
            || IFF(new.imdb_id IS DISTINCT FROM old.imdb_id, '; imdb_id: ' || COALESCE(old.imdb_id, '(none)') || ' -> ' || COALESCE(new.imdb_id, '(none)'), '')
            || IFF(new.languages IS DISTINCT FROM old.languages, '; languages: ' || COALESCE(old.languages, '(none)') || ' -> ' || COALESCE(new.languages, '(none)'), '')
            || IFF(new.countries IS DISTINCT FROM old.countries, '; countries: ' || COALESCE(old.countries, '(none)') || ' -> ' || COALESCE(new.countries, '(none)'), '')
            || IFF(new.production_companies IS DISTINCT FROM old.production_companies, '; production_companies: ' || COALESCE(old.production_companies, '(none)') || ' -> ' || COALESCE(new.production_companies, '(none)'), '')
            || IFF(new.certification IS DISTINCT FROM old.certification, '; certification: ' || COALESCE(old.certification, '(none)') || ' -> ' || COALESCE(new.certification, '(none)'), '')
            || IFF(new.overview IS DISTINCT FROM old.overview, '; overview: ' || COALESCE(old.overview, '(none)') || ' -> ' || COALESCE(new.overview, '(none)'), '')
            || IFF(new.awards IS DISTINCT FROM old.awards, '; awards: ' || COALESCE(old.awards, '(none)') || ' -> ' || COALESCE(new.awards, '(none)'), '')
            || IFF(new.homepage IS DISTINCT FROM old.homepage, '; homepage: ' || COALESCE(old.homepage, '(none)') || ' -> ' || COALESCE(new.homepage, '(none)'), '')
            || IFF(new.poster_url IS DISTINCT FROM old.poster_url, '; poster_url: ' || COALESCE(old.poster_url, '(none)') || ' -> ' || COALESCE(new.poster_url, '(none)'), ''),
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
