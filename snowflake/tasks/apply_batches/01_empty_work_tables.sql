-- What a run before this one left behind is no part of it.
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
