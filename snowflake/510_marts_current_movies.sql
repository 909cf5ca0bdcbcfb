-- MARTS.CURRENT_MOVIES: films as they are now, the ground of the other marts.
-- A full load has each film on its latest day. The days before are asked for the others alone, so that the cost
-- follows the films and not their history.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.current_movies (
    source COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    movie_id COMMENT 'The film''s key in its source.',
    movie_key COMMENT 'Version of the film; SHA-256 of source, movie_id and valid_from.',
    dt COMMENT 'Latest day of the source that CORE shows: the state that the row is of.',
    measured_on COMMENT 'Day of the measures: before dt where the film was not in the latest delta, or was quarantined.',
    current_since COMMENT 'First day on which the film was as it is now.',
    imdb_id COMMENT 'IMDb title identifier.',
    title COMMENT 'Title.',
    original_title COMMENT 'Title in the language the film was made in.',
    title_sort_key COMMENT 'Title in lower case without accents and leading article.',
    type COMMENT 'Kind of title: movie, series, short and so on.',
    year COMMENT 'Year of release, or the first of a range.',
    decade COMMENT 'First year of the decade of release.',
    release_date COMMENT 'Date of release; the first day of its month or year where only that is known.',
    release_date_precision COMMENT 'day, month or year: how much of release_date is known.',
    release_quarter COMMENT 'Quarter of release, 1 to 4, where the month is known.',
    runtime_minutes COMMENT 'Running time in minutes.',
    primary_genre COMMENT 'The first genre that the source names.',
    genres COMMENT 'Genres in the source''s order, joined by ''|''.',
    directors COMMENT 'Directors in the source''s order, joined by ''|''.',
    languages COMMENT 'Languages, joined by ''|'' in the source''s order.',
    countries COMMENT 'Countries of production, joined by ''|''.',
    production_companies COMMENT 'Production companies, joined by ''|''.',
    certification COMMENT 'Age certification.',
    popularity COMMENT 'The source''s measure of popularity.',
    budget COMMENT 'Budget in US dollars.',
    box_office COMMENT 'Box office takings in US dollars.',
    profit COMMENT 'Box office less budget, where both are known.',
    return_on_investment COMMENT 'Profit divided by budget, where both are known.',
    average_rating COMMENT 'Mean of the providers'' ratings, 0 to 100.',
    rating_band COMMENT 'acclaimed (80 and over), good (60), mixed (40) or poor, by average_rating.'
)
COMMENT = 'Films as they are now: a row a film that is current and not removed, with its latest measures.'
AS
WITH latest_day AS (
    SELECT
        source,
        MAX(dt) AS dt
    FROM {{ database }}.CORE.applied_days
    GROUP BY source
),

film AS (
    SELECT *
    FROM {{ database }}.CORE.dim_movie
    WHERE is_current AND NOT is_deleted
),

snapshot_of_the_day AS (
    SELECT
        snapshot.source,
        snapshot.movie_id,
        snapshot.dt,
        snapshot.popularity,
        snapshot.budget,
        snapshot.box_office,
        snapshot.profit,
        snapshot.return_on_investment,
        snapshot.average_rating,
        snapshot.rating_band
    FROM {{ database }}.CORE.fact_movie_snapshot AS snapshot
    INNER JOIN latest_day ON snapshot.source = latest_day.source AND snapshot.dt = latest_day.dt
),

not_in_it AS (
    SELECT
        source,
        movie_id
    FROM film
    EXCEPT
    SELECT
        source,
        movie_id
    FROM snapshot_of_the_day
),

snapshot_of_days_before AS (
    SELECT
        snapshot.source,
        snapshot.movie_id,
        snapshot.dt,
        snapshot.popularity,
        snapshot.budget,
        snapshot.box_office,
        snapshot.profit,
        snapshot.return_on_investment,
        snapshot.average_rating,
        snapshot.rating_band
    FROM {{ database }}.CORE.fact_movie_snapshot AS snapshot
    INNER JOIN not_in_it ON snapshot.source = not_in_it.source AND snapshot.movie_id = not_in_it.movie_id
    QUALIFY ROW_NUMBER() OVER (PARTITION BY snapshot.source, snapshot.movie_id ORDER BY snapshot.dt DESC) = 1
),

latest_snapshot AS (
    SELECT * FROM snapshot_of_the_day
    UNION ALL
    SELECT * FROM snapshot_of_days_before
)

SELECT
    film.source,
    film.movie_id,
    film.movie_key,
    latest_day.dt,
    latest_snapshot.dt AS measured_on,
    film.valid_from AS current_since,
    film.imdb_id,
    film.title,
    film.original_title,
    film.title_sort_key,
    film.type,
    film.year,
    film.decade,
    film.release_date,
    film.release_date_precision,
    film.release_quarter,
    film.runtime_minutes,
    film.primary_genre,
    film.genres,
    film.directors,
    film.languages,
    film.countries,
    film.production_companies,
    film.certification,
    latest_snapshot.popularity,
    latest_snapshot.budget,
    latest_snapshot.box_office,
    latest_snapshot.profit,
    latest_snapshot.return_on_investment,
    latest_snapshot.average_rating,
    latest_snapshot.rating_band
FROM film
INNER JOIN latest_day ON film.source = latest_day.source
LEFT JOIN latest_snapshot
    ON film.source = latest_snapshot.source AND film.movie_id = latest_snapshot.movie_id;
