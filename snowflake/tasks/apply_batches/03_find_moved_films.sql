-- The films of those winners; a row that was loaded twice may stand there twice, which moves nothing.
INSERT INTO {{ database }}.CORE.work_day_films (source, dt, movie_id, row_hash)
SELECT films.source, films.dt, films.movie_id, films.tracked_hash
FROM {{ database }}.RAW.movies AS films
INNER JOIN {{ database }}.CORE.work_days AS days
    ON
        films.source = days.source
        AND films.dt = days.dt
        AND films.batch_id = days.batch_id
        AND films.transform_id = days.transform_id;

-- Which films that moves, and from which day on. A day that says of a film what CORE says of it already changes
-- nothing, unless a version begins on that day: the day's former winner may have been the reason.
INSERT INTO {{ database }}.CORE.work_films (source, movie_id, first_dt)
SELECT
    moved.source,
    moved.movie_id,
    MIN(moved.dt) AS first_dt
FROM (
    SELECT films.source, films.movie_id, films.dt
    FROM {{ database }}.CORE.work_day_films AS films
    LEFT JOIN {{ database }}.CORE.dim_movie AS versions
        ON
            films.source = versions.source
            AND films.movie_id = versions.movie_id
            AND films.dt >= versions.valid_from
            AND films.dt < versions.valid_to
    WHERE versions.movie_key IS NULL OR versions.is_deleted OR films.row_hash <> versions.row_hash
    UNION ALL
    SELECT versions.source, versions.movie_id, days.dt
    FROM {{ database }}.CORE.dim_movie AS versions
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON
            versions.source = days.source
            AND versions.valid_from <= days.dt
            AND versions.valid_to > days.dt
    LEFT JOIN {{ database }}.CORE.work_day_films AS films
        ON versions.source = films.source AND versions.movie_id = films.movie_id AND days.dt = films.dt
    WHERE days.removes AND NOT versions.is_deleted AND films.movie_id IS NULL
    UNION ALL
    SELECT versions.source, versions.movie_id, days.dt
    FROM {{ database }}.CORE.dim_movie AS versions
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON versions.source = days.source AND versions.valid_from = days.dt
) AS moved
GROUP BY moved.source, moved.movie_id;
