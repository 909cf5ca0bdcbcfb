-- The task graph that keeps CORE: note the days that something arrived for, apply their winners, measure. It runs every
-- minute in which a stream has data, and when an orchestrator executes its root. What fails leaves nothing behind but the
-- note that it was tried; its days are tried again, in smaller groups, and a day that failed too often waits for somebody
-- to look, while all others go on. The statements of each task lie in the folder `tasks`.
USE ROLE {{ database }}_TRANSFORMER;

-- A graph is changed while its root is suspended.
ALTER TASK IF EXISTS {{ database }}.CORE.collect_arrivals SUSPEND;

CREATE OR ALTER TASK {{ database }}.CORE.collect_arrivals
WAREHOUSE = {{ warehouse }}
SCHEDULE = '1 MINUTE'
-- A day that cannot be applied is set aside, so the graph never has to stop for it.
SUSPEND_TASK_AFTER_NUM_FAILURES = 0
COMMENT = 'Notes the days that something arrived for in OPS.PENDING_DAYS; keeps the errors of runs before.'
WHEN
SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movies_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movie_ratings_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movie_genres_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.movie_people_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.OPS.quarantined_rows_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.RAW.batches_stream')
OR SYSTEM$STREAM_HAS_DATA('{{ database }}.OPS.graph_wake_ups_stream')
AS
BEGIN
    BEGIN TRANSACTION;
    {{ include tasks/collect_arrivals }}
    COMMIT;
END;

CREATE OR ALTER TASK {{ database }}.CORE.apply_batches
WAREHOUSE = {{ warehouse }}
COMMENT = 'Applies the winners of pending days to CORE.'
AFTER {{ database }}.CORE.collect_arrivals
AS
BEGIN
    BEGIN TRANSACTION;
    {{ include tasks/choose_days }}
    COMMIT;

    BEGIN TRANSACTION;
    {{ include tasks/apply_batches }}
    COMMIT;
END;

CREATE OR ALTER TASK {{ database }}.CORE.measure_quality
WAREHOUSE = {{ warehouse }}
COMMENT = 'Measures days that were applied since they were last measured, into OPS.DATA_QUALITY_RESULTS.'
AFTER {{ database }}.CORE.apply_batches
AS
BEGIN
    BEGIN TRANSACTION;
    {{ include tasks/measure_quality }}
    COMMIT;
END;

ALTER TASK {{ database }}.CORE.measure_quality RESUME;

ALTER TASK {{ database }}.CORE.apply_batches RESUME;

ALTER TASK {{ database }}.CORE.collect_arrivals RESUME;
