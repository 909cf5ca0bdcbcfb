-- What the winners say of those films from that day on. A film that is in neither movies nor quarantined_rows of a
-- full batch is removed; of one that is quarantined, or that a delta does not mention, nothing is said.
INSERT INTO {{ database }}.CORE.work_observations (source, movie_id, dt, is_deleted, row_hash)
SELECT DISTINCT films.source, films.movie_id, films.dt, FALSE AS is_deleted, films.tracked_hash
FROM {{ database }}.RAW.movies AS films
INNER JOIN (
    SELECT days.source, days.dt, days.batch_id, days.transform_id, moved.movie_id
    FROM {{ database }}.CORE.work_films AS moved
    INNER JOIN {{ database }}.CORE.applied_days AS days
        ON moved.source = days.source AND moved.first_dt <= days.dt
) AS asked
    ON
        films.source = asked.source
        AND films.dt = asked.dt
        AND films.batch_id = asked.batch_id
        AND films.transform_id = asked.transform_id
        AND films.movie_id = asked.movie_id;

INSERT INTO {{ database }}.CORE.work_observations (source, movie_id, dt, is_deleted, row_hash)
SELECT moved.source, moved.movie_id, days.dt, TRUE AS is_deleted, NULL AS row_hash
FROM {{ database }}.CORE.work_films AS moved
INNER JOIN {{ database }}.CORE.applied_days AS days
    ON moved.source = days.source AND moved.first_dt <= days.dt
LEFT JOIN {{ database }}.CORE.work_observations AS seen
    ON moved.source = seen.source AND moved.movie_id = seen.movie_id AND days.dt = seen.dt
LEFT JOIN {{ database }}.OPS.quarantined_rows AS refused
    ON
        days.source = refused.source
        AND days.dt = refused.dt
        AND days.batch_id = refused.batch_id
        AND days.transform_id = refused.transform_id
        AND moved.movie_id = refused.movie_id
WHERE days.removes AND seen.movie_id IS NULL AND refused.movie_id IS NULL;
