-- Which days this run applies: bounded, so that a long backfill is many short transactions. Days that failed come last,
-- in smaller groups and then alone, so that one that cannot be applied harms no other.
DELETE FROM {{ database }}.CORE.work_chosen;

INSERT INTO {{ database }}.CORE.work_chosen (source, dt, arrived_at)
WITH announced AS (
    SELECT
        batches.source,
        batches.dt,
        MAX(batches.movies_rows + batches.movie_people_rows) AS announced_rows
    FROM {{ database }}.RAW.batches
    INNER JOIN {{ database }}.OPS.pending_days AS pending
        ON batches.source = pending.source AND batches.dt = pending.dt
    GROUP BY batches.source, batches.dt
),

placed AS (
    SELECT
        pending.source,
        pending.dt,
        pending.arrived_at,
        pending.attempts,
        MIN(pending.attempts) OVER () AS fewest_attempts,
        ROW_NUMBER() OVER (ORDER BY pending.attempts, pending.dt, pending.source) AS place,
        SUM(COALESCE(announced.announced_rows, 0)) OVER (
            ORDER BY pending.attempts, pending.dt, pending.source ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS rows_so_far
    FROM {{ database }}.OPS.pending_days AS pending
    LEFT JOIN announced
        ON pending.source = announced.source AND pending.dt = announced.dt
    WHERE pending.attempts < {{ attempts_a_day }}
)

SELECT placed.source, placed.dt, placed.arrived_at
FROM placed
WHERE
    placed.place = 1
    OR (
        placed.attempts = placed.fewest_attempts
        AND placed.place <= CASE placed.attempts WHEN 0 THEN {{ days_a_run }} WHEN 1 THEN 10 ELSE 1 END
        AND placed.rows_so_far <= {{ rows_a_run }}
    );
