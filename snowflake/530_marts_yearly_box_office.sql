-- MARTS.YEARLY_BOX_OFFICE: takings by year of release.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.yearly_box_office (
    source COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    year COMMENT 'Year of release; null for the films whose year is not known.',
    dt COMMENT 'Latest day of the source that CORE shows: the state that the row is of.',
    decade COMMENT 'First year of the decade.',
    films COMMENT 'Films of the year.',
    box_office_films COMMENT 'Films whose box office is known.',
    box_office_known_share COMMENT 'Share of these in the films, 0 to 1: how far the sums can be trusted.',
    box_office_total COMMENT 'Their box office in US dollars.',
    box_office_average COMMENT 'Mean of their box office in US dollars.',
    box_office_median COMMENT 'Median of their box office in US dollars.',
    box_office_change COMMENT 'box_office_total less that of the calendar year before, where that is known.',
    budget_films COMMENT 'Films whose budget is known.',
    budget_total COMMENT 'Their budgets in US dollars.',
    profit_films COMMENT 'Films whose budget and box office are both known.',
    profit_total COMMENT 'Their profit in US dollars.',
    top_movie_id COMMENT 'Film with the greatest box office of the year.',
    top_title COMMENT 'Its title.',
    top_box_office COMMENT 'Its box office in US dollars.'
)
COMMENT = 'Takings by year of release, as they are known now; films without a year have a row of their own.'
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
