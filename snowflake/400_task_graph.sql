-- The task graph that keeps CORE: count what arrived, apply complete batches, measure. It runs every minute in which a
-- stream has data, and when an orchestrator executes its root. Each task is one transaction: what fails leaves nothing
-- behind, its streams keep what it had read, and the next run does it again.
USE ROLE {{ database }}_TRANSFORMER;

-- A graph is changed while its root is suspended.
ALTER TASK IF EXISTS {{ database }}.CORE.collect_arrivals SUSPEND;

CREATE OR REPLACE TASK {{ database }}.CORE.collect_arrivals
WAREHOUSE = {{ warehouse }}
SCHEDULE = '1 MINUTE'
COMMENT = 'Counts what arrived in RAW, a row a file, in OPS.LOAD_FILES; keeps the errors of runs before.'
WHEN
SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movies_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movie_ratings_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movie_genres_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movie_people_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.OPS.quarantined_rows_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.batches_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.OPS.load_files_stream')
AS
BEGIN
    BEGIN TRANSACTION;

    -- A stream that was made again shows what it showed before: such files are known. A file that was loaded a second
    -- time is another arrival; its batch then has more rows than it announces, and waits.
    INSERT INTO {{ database }}.OPS.load_files (
        table_name, source, dt, batch_id, transform_id, file_name, rows_loaded, loaded_at
    )
    SELECT
        arrived.table_name,
        arrived.source,
        arrived.dt,
        arrived.batch_id,
        arrived.transform_id,
        arrived.file_name,
        arrived.rows_loaded,
        arrived.loaded_at
    FROM (
        SELECT
            'movies' AS table_name, source, dt, batch_id, transform_id, file_name, loaded_at, COUNT(*) AS rows_loaded
        FROM {{ database }}.RAW.movies_stream
        GROUP BY source, dt, batch_id, transform_id, file_name, loaded_at
        UNION ALL
        SELECT
            'movie_ratings' AS table_name, source, dt, batch_id, transform_id, file_name, loaded_at, COUNT(*) AS rows_loaded
        FROM {{ database }}.RAW.movie_ratings_stream
        GROUP BY source, dt, batch_id, transform_id, file_name, loaded_at
        UNION ALL
        SELECT
            'movie_genres' AS table_name, source, dt, batch_id, transform_id, file_name, loaded_at, COUNT(*) AS rows_loaded
        FROM {{ database }}.RAW.movie_genres_stream
        GROUP BY source, dt, batch_id, transform_id, file_name, loaded_at
        UNION ALL
        SELECT
            'movie_people' AS table_name, source, dt, batch_id, transform_id, file_name, loaded_at, COUNT(*) AS rows_loaded
        FROM {{ database }}.RAW.movie_people_stream
        GROUP BY source, dt, batch_id, transform_id, file_name, loaded_at
        UNION ALL
        SELECT
            'quarantined_rows' AS table_name, source, dt, batch_id, transform_id, file_name, loaded_at, COUNT(*) AS rows_loaded
        FROM {{ database }}.OPS.quarantined_rows_stream
        GROUP BY source, dt, batch_id, transform_id, file_name, loaded_at
        UNION ALL
        SELECT
            'batches' AS table_name, source, dt, batch_id, transform_id, file_name, loaded_at, COUNT(*) AS rows_loaded
        FROM {{ database }}.RAW.batches_stream
        GROUP BY source, dt, batch_id, transform_id, file_name, loaded_at
    ) AS arrived
    LEFT JOIN {{ database }}.OPS.load_files AS known
        ON
            arrived.table_name = known.table_name
            AND arrived.file_name = known.file_name
            AND arrived.loaded_at = known.loaded_at
    WHERE known.file_name IS NULL;

    -- What failed left its streams as they were, so this task runs again within a minute and finds it.
    INSERT INTO {{ database }}.OPS.task_errors (
        query_id,
        graph_run,
        task_name,
        state,
        error_code,
        error_message,
        scheduled_at,
        completed_at,
        noted_at
    )
    SELECT
        runs.query_id,
        runs.graph_run_group_id,
        runs.name,
        runs.state,
        runs.error_code,
        runs.error_message,
        CONVERT_TIMEZONE('UTC', runs.scheduled_time)::TIMESTAMP_NTZ AS scheduled_at,
        CONVERT_TIMEZONE('UTC', runs.completed_time)::TIMESTAMP_NTZ AS completed_at,
        SYSDATE() AS noted_at
    FROM TABLE({{ database }}.INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1000, ERROR_ONLY => TRUE)) AS runs
    WHERE
        runs.database_name = '{{ database }}'
        AND runs.schema_name = 'CORE'
        AND runs.state IN ('FAILED', 'FAILED_AND_AUTO_SUSPENDED', 'CANCELLED')
        AND runs.query_id IS NOT NULL
        AND runs.query_id NOT IN (SELECT known.query_id FROM {{ database }}.OPS.task_errors AS known);

    COMMIT;
END;

CREATE OR REPLACE TASK {{ database }}.CORE.apply_batches
WAREHOUSE = {{ warehouse }}
COMMENT = 'Applies the winners of days that changed to CORE.'
AFTER {{ database }}.CORE.collect_arrivals
AS
BEGIN
    BEGIN TRANSACTION;

    DELETE FROM {{ database }}.CORE.work_touched;
    DELETE FROM {{ database }}.CORE.work_days;
    DELETE FROM {{ database }}.CORE.work_day_films;
    DELETE FROM {{ database }}.CORE.work_films;
    DELETE FROM {{ database }}.CORE.work_observations;
    DELETE FROM {{ database }}.CORE.work_versions;
    DELETE FROM {{ database }}.CORE.work_gone;
    DELETE FROM {{ database }}.CORE.work_new;
    DELETE FROM {{ database }}.CORE.work_genres;
    DELETE FROM {{ database }}.CORE.work_people;
    DELETE FROM {{ database }}.CORE.work_moved_facts;
    DELETE FROM {{ database }}.CORE.work_changes;

    -- Which days have another winner now. A version of a batch counts when every table has all rows and files that it
    -- announces; the winner is the latest extract, and of it the newest transform.
    INSERT INTO {{ database }}.CORE.work_touched (source, dt)
    SELECT DISTINCT source, dt
    FROM {{ database }}.OPS.load_files_stream;

    INSERT INTO {{ database }}.CORE.work_days (
        source, dt, batch_id, transform_id, load_type, extracted_at, content_id, removes
    )
    WITH announced AS (
        SELECT batches.*
        FROM {{ database }}.RAW.batches
        INNER JOIN {{ database }}.CORE.work_touched AS touched
            ON batches.source = touched.source AND batches.dt = touched.dt
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY batches.source, batches.dt, batches.batch_id, batches.transform_id
            ORDER BY batches.transformed_at DESC, batches.announcement DESC
        ) = 1
    ),

    arrived AS (
        SELECT
            files.source,
            files.dt,
            files.batch_id,
            files.transform_id,
            SUM(CASE WHEN files.table_name = 'movies' THEN files.rows_loaded ELSE 0 END) AS movies_rows,
            SUM(CASE WHEN files.table_name = 'movies' THEN 1 ELSE 0 END) AS movies_files,
            SUM(CASE WHEN files.table_name = 'movie_ratings' THEN files.rows_loaded ELSE 0 END) AS movie_ratings_rows,
            SUM(CASE WHEN files.table_name = 'movie_ratings' THEN 1 ELSE 0 END) AS movie_ratings_files,
            SUM(CASE WHEN files.table_name = 'movie_genres' THEN files.rows_loaded ELSE 0 END) AS movie_genres_rows,
            SUM(CASE WHEN files.table_name = 'movie_genres' THEN 1 ELSE 0 END) AS movie_genres_files,
            SUM(CASE WHEN files.table_name = 'movie_people' THEN files.rows_loaded ELSE 0 END) AS movie_people_rows,
            SUM(CASE WHEN files.table_name = 'movie_people' THEN 1 ELSE 0 END) AS movie_people_files,
            SUM(CASE WHEN files.table_name = 'quarantined_rows' THEN files.rows_loaded ELSE 0 END) AS quarantined_rows_rows,
            SUM(CASE WHEN files.table_name = 'quarantined_rows' THEN 1 ELSE 0 END) AS quarantined_rows_files
        FROM {{ database }}.OPS.load_files AS files
        INNER JOIN {{ database }}.CORE.work_touched AS touched
            ON files.source = touched.source AND files.dt = touched.dt
        GROUP BY files.source, files.dt, files.batch_id, files.transform_id
    ),

    winners AS (
        SELECT announced.*
        FROM announced
        INNER JOIN arrived
            ON
                announced.source = arrived.source
                AND announced.dt = arrived.dt
                AND announced.batch_id = arrived.batch_id
                AND announced.transform_id = arrived.transform_id
                AND announced.movies_rows = arrived.movies_rows
                AND announced.movies_files = arrived.movies_files
                AND announced.movie_ratings_rows = arrived.movie_ratings_rows
                AND announced.movie_ratings_files = arrived.movie_ratings_files
                AND announced.movie_genres_rows = arrived.movie_genres_rows
                AND announced.movie_genres_files = arrived.movie_genres_files
                AND announced.movie_people_rows = arrived.movie_people_rows
                AND announced.movie_people_files = arrived.movie_people_files
                AND announced.quarantined_rows_rows = arrived.quarantined_rows_rows
                AND announced.quarantined_rows_files = arrived.quarantined_rows_files
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY announced.source, announced.dt
            ORDER BY
                announced.extracted_at DESC,
                announced.batch_id DESC,
                announced.transformed_at DESC,
                announced.announcement DESC,
                announced.transform_id DESC
        ) = 1
    )

    SELECT
        winners.source,
        winners.dt,
        winners.batch_id,
        winners.transform_id,
        winners.load_type,
        winners.extracted_at,
        winners.content_id,
        winners.load_type = 'full' AND winners.keyless_quarantined_rows = 0 AS removes
    FROM winners
    LEFT JOIN {{ database }}.CORE.applied_days AS applied
        ON winners.source = applied.source AND winners.dt = applied.dt
    WHERE
        applied.source IS NULL
        OR applied.batch_id <> winners.batch_id
        OR applied.transform_id <> winners.transform_id;

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

    DELETE FROM {{ database }}.CORE.applied_days
    USING {{ database }}.CORE.work_days AS days
    WHERE applied_days.source = days.source AND applied_days.dt = days.dt;

    INSERT INTO {{ database }}.CORE.applied_days (
        source, dt, batch_id, transform_id, load_type, extracted_at, content_id, removes
    )
    SELECT source, dt, batch_id, transform_id, load_type, extracted_at, content_id, removes
    FROM {{ database }}.CORE.work_days;

    -- What the winners say of those films from that day on. A film that is in neither movies nor quarantined_rows of a
    -- full batch is removed; of one that is quarantined, or that a delta does not mention, nothing is said.
    INSERT INTO {{ database }}.CORE.work_observations (source, movie_id, dt, is_deleted, row_hash)
    SELECT films.source, films.movie_id, films.dt, FALSE AS is_deleted, films.tracked_hash
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

    -- A version begins where what is said differs from what was said before. A film that was never there cannot be
    -- removed.
    INSERT INTO {{ database }}.CORE.work_versions (
        movie_key, source, movie_id, valid_from, valid_to, is_deleted, row_hash, described_by
    )
    WITH states AS (
        SELECT
            versions.source,
            versions.movie_id,
            versions.valid_from AS dt,
            versions.is_deleted,
            versions.row_hash,
            TRUE AS is_known
        FROM {{ database }}.CORE.work_films AS moved
        INNER JOIN {{ database }}.CORE.dim_movie AS versions
            ON
                moved.source = versions.source
                AND moved.movie_id = versions.movie_id
                AND moved.first_dt > versions.valid_from
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY versions.source, versions.movie_id ORDER BY versions.valid_from DESC
        ) = 1
        UNION ALL
        SELECT seen.source, seen.movie_id, seen.dt, seen.is_deleted, seen.row_hash, FALSE AS is_known
        FROM {{ database }}.CORE.work_observations AS seen
    ),

    followed AS (
        SELECT
            states.*,
            CASE WHEN states.is_deleted THEN '' ELSE states.row_hash END AS said,
            LAG(CASE WHEN states.is_deleted THEN '' ELSE states.row_hash END)
                OVER (PARTITION BY states.source, states.movie_id ORDER BY states.dt)
                AS said_before
        FROM states
    ),

    starts AS (
        SELECT
            followed.source,
            followed.movie_id,
            followed.dt,
            followed.is_deleted,
            followed.row_hash,
            SHA2(
                CONCAT(
                    followed.source,
                    '|',
                    YEAR(followed.dt) * 10000 + MONTH(followed.dt) * 100 + DAY(followed.dt),
                    '|',
                    followed.movie_id
                ),
                256
            ) AS movie_key
        FROM followed
        WHERE
            followed.said <> followed.said_before
            OR (followed.said_before IS NULL AND (followed.is_known OR NOT followed.is_deleted))
    )

    SELECT
        starts.movie_key,
        starts.source,
        starts.movie_id,
        starts.dt AS valid_from,
        COALESCE(
            LEAD(starts.dt) OVER (PARTITION BY starts.source, starts.movie_id ORDER BY starts.dt),
            TO_DATE('9999-12-31')
        ) AS valid_to,
        starts.is_deleted,
        COALESCE(
            starts.row_hash,
            LAG(starts.row_hash) OVER (PARTITION BY starts.source, starts.movie_id ORDER BY starts.dt)
        ) AS row_hash,
        CASE
            WHEN starts.is_deleted
                THEN COALESCE(
                    LAG(starts.movie_key) OVER (PARTITION BY starts.source, starts.movie_id ORDER BY starts.dt),
                    starts.movie_key
                )
            ELSE starts.movie_key
        END AS described_by
    FROM starts;

    -- The difference to DIM_MOVIE, and its application.
    INSERT INTO {{ database }}.CORE.work_gone (movie_key, source, movie_id)
    SELECT versions.movie_key, versions.source, versions.movie_id
    FROM {{ database }}.CORE.work_films AS moved
    INNER JOIN {{ database }}.CORE.dim_movie AS versions
        ON
            moved.source = versions.source
            AND moved.movie_id = versions.movie_id
            AND moved.first_dt <= versions.valid_from
    LEFT JOIN {{ database }}.CORE.work_versions AS wanted
        ON
            versions.movie_key = wanted.movie_key
            AND versions.row_hash = wanted.row_hash
            AND versions.is_deleted = wanted.is_deleted
    WHERE wanted.movie_key IS NULL;

    INSERT INTO {{ database }}.CORE.work_new (
        movie_key, source, movie_id, valid_from, valid_to, is_deleted, row_hash, described_by, batch_id, transform_id
    )
    SELECT
        wanted.movie_key,
        wanted.source,
        wanted.movie_id,
        wanted.valid_from,
        wanted.valid_to,
        wanted.is_deleted,
        wanted.row_hash,
        wanted.described_by,
        days.batch_id,
        days.transform_id
    FROM {{ database }}.CORE.work_versions AS wanted
    INNER JOIN {{ database }}.CORE.applied_days AS days
        ON wanted.source = days.source AND wanted.valid_from = days.dt
    LEFT JOIN {{ database }}.CORE.dim_movie AS versions
        ON wanted.movie_key = versions.movie_key
    LEFT JOIN {{ database }}.CORE.work_gone AS gone
        ON wanted.movie_key = gone.movie_key
    WHERE versions.movie_key IS NULL OR gone.movie_key IS NOT NULL;

    INSERT INTO {{ database }}.CORE.work_changes (
        table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
    )
    SELECT
        'dim_movie' AS table_name,
        moved.source,
        moved.first_dt AS dt,
        SUM(changed.is_inserted) AS rows_inserted,
        SUM(changed.is_updated) AS rows_updated,
        SUM(changed.is_closed) AS rows_closed,
        SUM(changed.is_deleted) AS rows_deleted
    FROM (
        SELECT
            wanted.source,
            wanted.movie_id,
            CASE WHEN versions.movie_key IS NULL THEN 1 ELSE 0 END AS is_inserted,
            CASE
                WHEN
                    versions.valid_to <> wanted.valid_to
                    OR versions.row_hash <> wanted.row_hash
                    OR versions.is_deleted <> wanted.is_deleted
                    THEN 1
                ELSE 0
            END AS is_updated,
            CASE WHEN versions.is_current AND wanted.valid_to < TO_DATE('9999-12-31') THEN 1 ELSE 0 END AS is_closed,
            0 AS is_deleted
        FROM {{ database }}.CORE.work_versions AS wanted
        LEFT JOIN {{ database }}.CORE.dim_movie AS versions
            ON wanted.movie_key = versions.movie_key
        UNION ALL
        SELECT gone.source, gone.movie_id, 0 AS is_inserted, 0 AS is_updated, 0 AS is_closed, 1 AS is_deleted
        FROM {{ database }}.CORE.work_gone AS gone
        LEFT JOIN {{ database }}.CORE.work_versions AS wanted
            ON gone.movie_key = wanted.movie_key
        WHERE wanted.movie_key IS NULL
    ) AS changed
    INNER JOIN {{ database }}.CORE.work_films AS moved
        ON changed.source = moved.source AND changed.movie_id = moved.movie_id
    GROUP BY moved.source, moved.first_dt;

    -- Names that may change: those that only a version that goes away is spelled like.
    INSERT INTO {{ database }}.CORE.work_genres (genre_key)
    SELECT DISTINCT bridge.genre_key
    FROM {{ database }}.CORE.bridge_movie_genre AS bridge
    INNER JOIN {{ database }}.CORE.work_gone AS gone
        ON bridge.movie_key = gone.movie_key
    INNER JOIN {{ database }}.CORE.dim_genre AS known
        ON bridge.genre_key = known.genre_key AND bridge.named_as = known.genre_name;

    INSERT INTO {{ database }}.CORE.work_people (person_key)
    SELECT DISTINCT bridge.person_key
    FROM {{ database }}.CORE.bridge_movie_person AS bridge
    INNER JOIN {{ database }}.CORE.work_gone AS gone
        ON bridge.movie_key = gone.movie_key
    INNER JOIN {{ database }}.CORE.dim_person AS known
        ON bridge.person_key = known.person_key AND bridge.credited_as = known.person_name;

    INSERT INTO {{ database }}.CORE.work_changes (
        table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
    )
    SELECT
        'bridge_movie_genre' AS table_name, moved.source, moved.first_dt AS dt, 0 AS rows_inserted, 0 AS rows_updated,
        0 AS rows_closed, COUNT(*) AS rows_deleted
    FROM {{ database }}.CORE.bridge_movie_genre AS bridge
    INNER JOIN {{ database }}.CORE.work_gone AS gone
        ON bridge.movie_key = gone.movie_key
    INNER JOIN {{ database }}.CORE.work_films AS moved
        ON gone.source = moved.source AND gone.movie_id = moved.movie_id
    GROUP BY moved.source, moved.first_dt
    UNION ALL
    SELECT
        'bridge_movie_person' AS table_name, moved.source, moved.first_dt AS dt, 0 AS rows_inserted, 0 AS rows_updated,
        0 AS rows_closed, COUNT(*) AS rows_deleted
    FROM {{ database }}.CORE.bridge_movie_person AS bridge
    INNER JOIN {{ database }}.CORE.work_gone AS gone
        ON bridge.movie_key = gone.movie_key
    INNER JOIN {{ database }}.CORE.work_films AS moved
        ON gone.source = moved.source AND gone.movie_id = moved.movie_id
    GROUP BY moved.source, moved.first_dt;

    DELETE FROM {{ database }}.CORE.bridge_movie_genre
    USING {{ database }}.CORE.work_gone AS gone
    WHERE bridge_movie_genre.movie_key = gone.movie_key;

    DELETE FROM {{ database }}.CORE.bridge_movie_person
    USING {{ database }}.CORE.work_gone AS gone
    WHERE bridge_movie_person.movie_key = gone.movie_key;

    DELETE FROM {{ database }}.CORE.dim_movie
    USING {{ database }}.CORE.work_gone AS gone
    WHERE dim_movie.movie_key = gone.movie_key;

    UPDATE {{ database }}.CORE.dim_movie
    SET
        valid_to = wanted.valid_to,
        is_current = wanted.valid_to = TO_DATE('9999-12-31')
    FROM {{ database }}.CORE.work_versions AS wanted
    WHERE dim_movie.movie_key = wanted.movie_key AND dim_movie.valid_to <> wanted.valid_to;

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

    INSERT INTO {{ database }}.CORE.dim_movie (
        movie_key, source, movie_id, valid_from, valid_to, is_current, is_deleted, row_hash, imdb_id, title,
        original_title, title_sort_key, type, year, year_end, release_date, release_date_precision, release_quarter,
        decade, runtime_minutes, primary_genre, genres, directors, languages, countries, production_companies,
        certification, overview, awards, homepage, poster_url
    )
    SELECT
        added.movie_key,
        added.source,
        added.movie_id,
        added.valid_from,
        added.valid_to,
        added.valid_to = TO_DATE('9999-12-31') AS is_current,
        FALSE AS is_deleted,
        added.row_hash,
        films.imdb_id,
        films.title,
        films.original_title,
        films.title_sort_key,
        films.type,
        films.year,
        films.year_end,
        films.release_date,
        films.release_date_precision,
        films.release_quarter,
        films.decade,
        films.runtime_minutes,
        films.primary_genre,
        genres.names AS genres,
        directors.names AS directors,
        films.languages,
        films.countries,
        films.production_companies,
        films.certification,
        films.overview,
        films.awards,
        films.homepage,
        films.poster_url
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
    WHERE NOT added.is_deleted;

    -- A removed film keeps the attributes of its last version.
    INSERT INTO {{ database }}.CORE.dim_movie (
        movie_key, source, movie_id, valid_from, valid_to, is_current, is_deleted, row_hash, imdb_id, title,
        original_title, title_sort_key, type, year, year_end, release_date, release_date_precision, release_quarter,
        decade, runtime_minutes, primary_genre, genres, directors, languages, countries, production_companies,
        certification, overview, awards, homepage, poster_url
    )
    SELECT
        added.movie_key,
        added.source,
        added.movie_id,
        added.valid_from,
        added.valid_to,
        added.valid_to = TO_DATE('9999-12-31') AS is_current,
        TRUE AS is_deleted,
        added.row_hash,
        films.imdb_id,
        films.title,
        films.original_title,
        films.title_sort_key,
        films.type,
        films.year,
        films.year_end,
        films.release_date,
        films.release_date_precision,
        films.release_quarter,
        films.decade,
        films.runtime_minutes,
        films.primary_genre,
        films.genres,
        films.directors,
        films.languages,
        films.countries,
        films.production_companies,
        films.certification,
        films.overview,
        films.awards,
        films.homepage,
        films.poster_url
    FROM {{ database }}.CORE.dim_movie AS films
    INNER JOIN {{ database }}.CORE.work_new AS added
        ON films.movie_key = added.described_by
    WHERE added.is_deleted;

    -- Genres and people: the ones that are new or spelled otherwise now, and those noted above, get the name that the
    -- version with the latest valid_from has for them, or go where no version has them any more.
    INSERT INTO {{ database }}.CORE.work_genres (genre_key)
    SELECT DISTINCT bridge.genre_key
    FROM {{ database }}.CORE.bridge_movie_genre AS bridge
    INNER JOIN {{ database }}.CORE.work_new AS added
        ON bridge.movie_key = added.movie_key
    LEFT JOIN {{ database }}.CORE.dim_genre AS known
        ON bridge.genre_key = known.genre_key AND bridge.named_as = known.genre_name
    WHERE
        known.genre_key IS NULL
        AND bridge.genre_key NOT IN (SELECT noted.genre_key FROM {{ database }}.CORE.work_genres AS noted);

    UPDATE {{ database }}.CORE.work_genres
    SET genre_name = newest.named_as
    FROM (
        SELECT bridge.genre_key, bridge.named_as
        FROM {{ database }}.CORE.bridge_movie_genre AS bridge
        INNER JOIN {{ database }}.CORE.work_genres AS noted
            ON bridge.genre_key = noted.genre_key
        INNER JOIN {{ database }}.CORE.dim_movie AS versions
            ON bridge.movie_key = versions.movie_key
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY bridge.genre_key
            ORDER BY versions.valid_from DESC, versions.source ASC, versions.movie_id ASC, bridge.position ASC
        ) = 1
    ) AS newest
    WHERE work_genres.genre_key = newest.genre_key;

    INSERT INTO {{ database }}.CORE.work_people (person_key)
    SELECT DISTINCT bridge.person_key
    FROM {{ database }}.CORE.bridge_movie_person AS bridge
    INNER JOIN {{ database }}.CORE.work_new AS added
        ON bridge.movie_key = added.movie_key
    LEFT JOIN {{ database }}.CORE.dim_person AS known
        ON bridge.person_key = known.person_key AND bridge.credited_as = known.person_name
    WHERE
        known.person_key IS NULL
        AND bridge.person_key NOT IN (SELECT noted.person_key FROM {{ database }}.CORE.work_people AS noted);

    UPDATE {{ database }}.CORE.work_people
    SET person_name = newest.credited_as
    FROM (
        SELECT bridge.person_key, bridge.credited_as
        FROM {{ database }}.CORE.bridge_movie_person AS bridge
        INNER JOIN {{ database }}.CORE.work_people AS noted
            ON bridge.person_key = noted.person_key
        INNER JOIN {{ database }}.CORE.dim_movie AS versions
            ON bridge.movie_key = versions.movie_key
        QUALIFY ROW_NUMBER() OVER (
            PARTITION BY bridge.person_key
            ORDER BY
                versions.valid_from DESC,
                versions.source ASC,
                versions.movie_id ASC,
                bridge.role ASC,
                bridge.position ASC
        ) = 1
    ) AS newest
    WHERE work_people.person_key = newest.person_key;

    -- Genres and people belong to no source and day: what happens to them is noted with the latest day of the run.
    INSERT INTO {{ database }}.CORE.work_changes (
        table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
    )
    SELECT
        'dim_genre' AS table_name,
        last_day.source,
        last_day.dt,
        COUNT_IF(known.genre_key IS NULL AND noted.genre_name IS NOT NULL) AS rows_inserted,
        COUNT_IF(known.genre_name <> noted.genre_name) AS rows_updated,
        0 AS rows_closed,
        COUNT_IF(known.genre_key IS NOT NULL AND noted.genre_name IS NULL) AS rows_deleted
    FROM {{ database }}.CORE.work_genres AS noted
    CROSS JOIN (
        SELECT days.source, days.dt
        FROM {{ database }}.CORE.work_days AS days
        QUALIFY ROW_NUMBER() OVER (ORDER BY days.dt DESC, days.source ASC) = 1
    ) AS last_day
    LEFT JOIN {{ database }}.CORE.dim_genre AS known
        ON noted.genre_key = known.genre_key
    GROUP BY last_day.source, last_day.dt
    UNION ALL
    SELECT
        'dim_person' AS table_name,
        last_day.source,
        last_day.dt,
        COUNT_IF(known.person_key IS NULL AND noted.person_name IS NOT NULL) AS rows_inserted,
        COUNT_IF(known.person_name <> noted.person_name) AS rows_updated,
        0 AS rows_closed,
        COUNT_IF(known.person_key IS NOT NULL AND noted.person_name IS NULL) AS rows_deleted
    FROM {{ database }}.CORE.work_people AS noted
    CROSS JOIN (
        SELECT days.source, days.dt
        FROM {{ database }}.CORE.work_days AS days
        QUALIFY ROW_NUMBER() OVER (ORDER BY days.dt DESC, days.source ASC) = 1
    ) AS last_day
    LEFT JOIN {{ database }}.CORE.dim_person AS known
        ON noted.person_key = known.person_key
    GROUP BY last_day.source, last_day.dt;

    DELETE FROM {{ database }}.CORE.dim_genre
    USING {{ database }}.CORE.work_genres AS noted
    WHERE dim_genre.genre_key = noted.genre_key;

    INSERT INTO {{ database }}.CORE.dim_genre (genre_key, genre_name)
    SELECT genre_key, genre_name
    FROM {{ database }}.CORE.work_genres
    WHERE genre_name IS NOT NULL;

    DELETE FROM {{ database }}.CORE.dim_person
    USING {{ database }}.CORE.work_people AS noted
    WHERE dim_person.person_key = noted.person_key;

    INSERT INTO {{ database }}.CORE.dim_person (person_key, person_name)
    SELECT person_key, person_name
    FROM {{ database }}.CORE.work_people
    WHERE person_name IS NOT NULL;

    -- Facts: those of the days themselves are written again, those of moved films on other days get their new version.
    INSERT INTO {{ database }}.CORE.work_changes (
        table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
    )
    SELECT
        'fact_movie_snapshot' AS table_name, days.source, days.dt, 0 AS rows_inserted, 0 AS rows_updated,
        0 AS rows_closed, COUNT(*) AS rows_deleted
    FROM {{ database }}.CORE.fact_movie_snapshot AS facts
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON facts.source = days.source AND facts.dt = days.dt
    GROUP BY days.source, days.dt
    UNION ALL
    SELECT
        'fact_movie_rating' AS table_name, days.source, days.dt, 0 AS rows_inserted, 0 AS rows_updated,
        0 AS rows_closed, COUNT(*) AS rows_deleted
    FROM {{ database }}.CORE.fact_movie_rating AS facts
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON facts.source = days.source AND facts.dt = days.dt
    GROUP BY days.source, days.dt;

    DELETE FROM {{ database }}.CORE.fact_movie_snapshot
    USING {{ database }}.CORE.work_days AS days
    WHERE fact_movie_snapshot.source = days.source AND fact_movie_snapshot.dt = days.dt;

    DELETE FROM {{ database }}.CORE.fact_movie_rating
    USING {{ database }}.CORE.work_days AS days
    WHERE fact_movie_rating.source = days.source AND fact_movie_rating.dt = days.dt;

    INSERT INTO {{ database }}.CORE.work_moved_facts (source, movie_id, dt, movie_key)
    SELECT facts.source, facts.movie_id, facts.dt, versions.movie_key
    FROM {{ database }}.CORE.fact_movie_snapshot AS facts
    INNER JOIN {{ database }}.CORE.work_films AS moved
        ON facts.source = moved.source AND facts.movie_id = moved.movie_id AND facts.dt > moved.first_dt
    INNER JOIN {{ database }}.CORE.dim_movie AS versions
        ON
            facts.source = versions.source
            AND facts.movie_id = versions.movie_id
            AND facts.dt >= versions.valid_from
            AND facts.dt < versions.valid_to
    WHERE facts.movie_key <> versions.movie_key;

    UPDATE {{ database }}.CORE.fact_movie_snapshot
    SET movie_key = moved.movie_key
    FROM {{ database }}.CORE.work_moved_facts AS moved
    WHERE
        fact_movie_snapshot.source = moved.source
        AND fact_movie_snapshot.movie_id = moved.movie_id
        AND fact_movie_snapshot.dt = moved.dt;

    INSERT INTO {{ database }}.CORE.work_changes (
        table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
    )
    SELECT
        'fact_movie_snapshot' AS table_name, films.source, films.first_dt AS dt, 0 AS rows_inserted,
        COUNT(*) AS rows_updated, 0 AS rows_closed, 0 AS rows_deleted
    FROM {{ database }}.CORE.work_moved_facts AS moved
    INNER JOIN {{ database }}.CORE.work_films AS films
        ON moved.source = films.source AND moved.movie_id = films.movie_id
    GROUP BY films.source, films.first_dt
    UNION ALL
    SELECT
        'fact_movie_rating' AS table_name, films.source, films.first_dt AS dt, 0 AS rows_inserted,
        COUNT(*) AS rows_updated, 0 AS rows_closed, 0 AS rows_deleted
    FROM {{ database }}.CORE.fact_movie_rating AS facts
    INNER JOIN {{ database }}.CORE.work_moved_facts AS moved
        ON facts.source = moved.source AND facts.movie_id = moved.movie_id AND facts.dt = moved.dt
    INNER JOIN {{ database }}.CORE.work_films AS films
        ON moved.source = films.source AND moved.movie_id = films.movie_id
    GROUP BY films.source, films.first_dt;

    UPDATE {{ database }}.CORE.fact_movie_rating
    SET movie_key = moved.movie_key
    FROM {{ database }}.CORE.work_moved_facts AS moved
    WHERE
        fact_movie_rating.source = moved.source
        AND fact_movie_rating.movie_id = moved.movie_id
        AND fact_movie_rating.dt = moved.dt;

    INSERT INTO {{ database }}.CORE.fact_movie_snapshot (
        movie_key, date_key, source, movie_id, dt, popularity, budget, box_office, profit, return_on_investment,
        average_rating, rating_band
    )
    SELECT
        versions.movie_key,
        YEAR(films.dt) * 10000 + MONTH(films.dt) * 100 + DAY(films.dt) AS date_key,
        films.source,
        films.movie_id,
        films.dt,
        films.popularity,
        films.budget,
        films.box_office,
        films.profit,
        films.return_on_investment,
        films.average_rating,
        films.rating_band
    FROM {{ database }}.RAW.movies AS films
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON
            films.source = days.source
            AND films.dt = days.dt
            AND films.batch_id = days.batch_id
            AND films.transform_id = days.transform_id
    LEFT JOIN {{ database }}.CORE.dim_movie AS versions
        ON
            films.source = versions.source
            AND films.movie_id = versions.movie_id
            AND films.dt >= versions.valid_from
            AND films.dt < versions.valid_to;

    INSERT INTO {{ database }}.CORE.fact_movie_rating (
        movie_key, provider_key, date_key, source, movie_id, dt, rating, votes
    )
    SELECT
        versions.movie_key,
        SHA2(ratings.provider, 256) AS provider_key,
        YEAR(ratings.dt) * 10000 + MONTH(ratings.dt) * 100 + DAY(ratings.dt) AS date_key,
        ratings.source,
        ratings.movie_id,
        ratings.dt,
        ratings.rating,
        ratings.votes
    FROM {{ database }}.RAW.movie_ratings AS ratings
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON
            ratings.source = days.source
            AND ratings.dt = days.dt
            AND ratings.batch_id = days.batch_id
            AND ratings.transform_id = days.transform_id
    LEFT JOIN {{ database }}.CORE.dim_movie AS versions
        ON
            ratings.source = versions.source
            AND ratings.movie_id = versions.movie_id
            AND ratings.dt >= versions.valid_from
            AND ratings.dt < versions.valid_to;

    INSERT INTO {{ database }}.CORE.work_changes (
        table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
    )
    SELECT
        'fact_movie_snapshot' AS table_name, days.source, days.dt, COUNT(*) AS rows_inserted, 0 AS rows_updated,
        0 AS rows_closed, 0 AS rows_deleted
    FROM {{ database }}.CORE.fact_movie_snapshot AS facts
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON facts.source = days.source AND facts.dt = days.dt
    GROUP BY days.source, days.dt
    UNION ALL
    SELECT
        'fact_movie_rating' AS table_name, days.source, days.dt, COUNT(*) AS rows_inserted, 0 AS rows_updated,
        0 AS rows_closed, 0 AS rows_deleted
    FROM {{ database }}.CORE.fact_movie_rating AS facts
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON facts.source = days.source AND facts.dt = days.dt
    GROUP BY days.source, days.dt
    UNION ALL
    SELECT
        'applied_days' AS table_name, days.source, days.dt, 1 AS rows_inserted, 0 AS rows_updated, 0 AS rows_closed,
        0 AS rows_deleted
    FROM {{ database }}.CORE.work_days AS days;

    INSERT INTO {{ database }}.OPS.core_changes (
        source, dt, batch_id, transform_id, table_name, rows_inserted, rows_updated, rows_closed, rows_deleted,
        applied_at
    )
    SELECT
        days.source,
        days.dt,
        days.batch_id,
        days.transform_id,
        changes.table_name,
        SUM(changes.rows_inserted) AS rows_inserted,
        SUM(changes.rows_updated) AS rows_updated,
        SUM(changes.rows_closed) AS rows_closed,
        SUM(changes.rows_deleted) AS rows_deleted,
        SYSDATE() AS applied_at
    FROM {{ database }}.CORE.work_changes AS changes
    INNER JOIN {{ database }}.CORE.work_days AS days
        ON changes.source = days.source AND changes.dt = days.dt
    GROUP BY days.source, days.dt, days.batch_id, days.transform_id, changes.table_name;

    COMMIT;
END;

CREATE OR REPLACE TASK {{ database }}.CORE.measure_quality
WAREHOUSE = {{ warehouse }}
COMMENT = 'Measures days that were applied since they were last measured, into OPS.DATA_QUALITY_RESULTS.'
AFTER {{ database }}.CORE.apply_batches
AS
BEGIN
    BEGIN TRANSACTION;

    -- What the tasks and checks of an orchestrator stop on is counted here for people to read, day by day.
    INSERT INTO {{ database }}.OPS.data_quality_results (
        rule, source, dt, checked_rows, offending_rows, measured_at
    )
    WITH unmeasured AS (
        SELECT applied.source, applied.dt, applied.batch_id, applied.transform_id
        FROM {{ database }}.CORE.applied_days AS applied
        INNER JOIN (
            SELECT changes.source, changes.dt, MAX(changes.applied_at) AS applied_at
            FROM {{ database }}.OPS.core_changes AS changes
            GROUP BY changes.source, changes.dt
        ) AS latest
            ON applied.source = latest.source AND applied.dt = latest.dt
        LEFT JOIN (
            SELECT results.source, results.dt, MAX(results.measured_at) AS measured_at
            FROM {{ database }}.OPS.data_quality_results AS results
            GROUP BY results.source, results.dt
        ) AS measured
            ON applied.source = measured.source AND applied.dt = measured.dt
        WHERE measured.measured_at IS NULL OR measured.measured_at < latest.applied_at
    ),

    films AS (
        SELECT
            raw.source,
            raw.dt,
            raw.movie_id,
            raw.year,
            raw.release_date,
            raw.runtime_minutes,
            raw.primary_genre,
            raw.average_rating
        FROM {{ database }}.RAW.movies AS raw
        INNER JOIN unmeasured
            ON
                raw.source = unmeasured.source
                AND raw.dt = unmeasured.dt
                AND raw.batch_id = unmeasured.batch_id
                AND raw.transform_id = unmeasured.transform_id
    ),

    facts AS (
        SELECT snapshot.source, snapshot.dt, snapshot.movie_id, versions.movie_key
        FROM {{ database }}.CORE.fact_movie_snapshot AS snapshot
        INNER JOIN unmeasured
            ON snapshot.source = unmeasured.source AND snapshot.dt = unmeasured.dt
        LEFT JOIN {{ database }}.CORE.dim_movie AS versions
            ON
                snapshot.movie_key = versions.movie_key
                AND snapshot.dt >= versions.valid_from
                AND snapshot.dt < versions.valid_to
                AND NOT versions.is_deleted
    ),

    measures AS (
        SELECT
            'films_have_a_year' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
            COUNT_IF(films.year IS NULL) AS offending_rows
        FROM films
        GROUP BY films.source, films.dt
        UNION ALL
        SELECT
            'films_have_a_release_date' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
            COUNT_IF(films.release_date IS NULL) AS offending_rows
        FROM films
        GROUP BY films.source, films.dt
        UNION ALL
        SELECT
            'films_have_a_runtime' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
            COUNT_IF(films.runtime_minutes IS NULL) AS offending_rows
        FROM films
        GROUP BY films.source, films.dt
        UNION ALL
        SELECT
            'films_have_a_genre' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
            COUNT_IF(films.primary_genre IS NULL) AS offending_rows
        FROM films
        GROUP BY films.source, films.dt
        UNION ALL
        SELECT
            'films_have_a_rating' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
            COUNT_IF(films.average_rating IS NULL) AS offending_rows
        FROM films
        GROUP BY films.source, films.dt
        UNION ALL
        SELECT
            'facts_have_their_version' AS rule, facts.source, facts.dt, COUNT(*) AS checked_rows,
            COUNT_IF(facts.movie_key IS NULL) AS offending_rows
        FROM facts
        GROUP BY facts.source, facts.dt
        UNION ALL
        SELECT
            'snapshot_holds_the_winning_films' AS rule,
            unmeasured.source,
            unmeasured.dt,
            COUNT(DISTINCT films.movie_id) AS checked_rows,
            ABS(COUNT(DISTINCT films.movie_id) - COUNT(DISTINCT facts.movie_id)) AS offending_rows
        FROM unmeasured
        LEFT JOIN films
            ON unmeasured.source = films.source AND unmeasured.dt = films.dt
        LEFT JOIN facts
            ON films.source = facts.source AND films.dt = facts.dt AND films.movie_id = facts.movie_id
        GROUP BY unmeasured.source, unmeasured.dt
    )

    SELECT
        measures.rule,
        measures.source,
        measures.dt,
        measures.checked_rows,
        measures.offending_rows,
        SYSDATE() AS measured_at
    FROM measures;

    COMMIT;
END;

ALTER TASK {{ database }}.CORE.measure_quality RESUME;

ALTER TASK {{ database }}.CORE.apply_batches RESUME;

ALTER TASK {{ database }}.CORE.collect_arrivals RESUME;
