-- MARTS.YEARLY_BOX_OFFICE: takings by year of release.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.yearly_box_office (
    {{ titles MARTS.yearly_box_office }}
)
COMMENT = {{ comment MARTS.yearly_box_office }}
AS
WITH by_year AS (
    SELECT
        source,
        year,
        MAX(dt) AS dt,
        MAX(decade) AS decade,
        COUNT(*) AS films,
        COUNT(box_office) AS box_office_films,
        SUM(box_office) AS box_office_total,
        AVG(box_office) AS box_office_average,
        MEDIAN(CAST(box_office AS FLOAT)) AS box_office_median,
        COUNT(budget) AS budget_films,
        SUM(budget) AS budget_total,
        COUNT(profit) AS profit_films,
        SUM(profit) AS profit_total
    FROM {{ database }}.MARTS.current_movies
    GROUP BY source, year
),

best AS (
    SELECT
        source,
        year,
        movie_id,
        title,
        box_office
    FROM {{ database }}.MARTS.current_movies
    WHERE box_office IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY source, year ORDER BY box_office DESC, movie_id ASC) = 1
)

SELECT
    by_year.source,
    by_year.year,
    by_year.dt,
    by_year.decade,
    by_year.films,
    by_year.box_office_films,
    CAST(by_year.box_office_films / NULLIF(by_year.films, 0) AS NUMBER(7, 6)) AS box_office_known_share,
    by_year.box_office_total,
    CAST(by_year.box_office_average AS NUMBER(18, 2)) AS box_office_average,
    CAST(by_year.box_office_median AS NUMBER(18, 2)) AS box_office_median,
    by_year.box_office_total - year_before.box_office_total AS box_office_change,
    by_year.budget_films,
    by_year.budget_total,
    by_year.profit_films,
    by_year.profit_total,
    best.movie_id AS top_movie_id,
    best.title AS top_title,
    best.box_office AS top_box_office
FROM by_year
LEFT JOIN by_year AS year_before
    ON by_year.source = year_before.source AND by_year.year - 1 = year_before.year
LEFT JOIN best
    ON by_year.source = best.source AND by_year.year IS NOT DISTINCT FROM best.year;
