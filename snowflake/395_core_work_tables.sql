-- Work tables: what the second task puts down between its statements. It empties them when it begins, in the
-- transaction in which it fills them; DDL would end that transaction.
CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_chosen (
    source VARCHAR NOT NULL,
    dt DATE NOT NULL,
    arrived_at TIMESTAMP_NTZ(6) NOT NULL
)
COMMENT = 'Days that the run applies, as PENDING_DAYS had them when they were chosen.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_days (
    source VARCHAR NOT NULL,
    dt DATE NOT NULL,
    batch_id VARCHAR NOT NULL,
    transform_id VARCHAR NOT NULL,
    load_type VARCHAR NOT NULL,
    extracted_at TIMESTAMP_NTZ(6) NOT NULL,
    content_id VARCHAR NOT NULL,
    removes BOOLEAN NOT NULL
)
COMMENT = 'Days whose winner is not the one that CORE shows, with their winner.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_day_films (
    source VARCHAR NOT NULL,
    dt DATE NOT NULL,
    movie_id VARCHAR NOT NULL,
    row_hash VARCHAR NOT NULL
)
COMMENT = 'Films of those winners.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_films (
    source VARCHAR NOT NULL,
    movie_id VARCHAR NOT NULL,
    first_dt DATE NOT NULL
)
COMMENT = 'Films whose versions may change, from first_dt on.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_observations (
    source VARCHAR NOT NULL,
    movie_id VARCHAR NOT NULL,
    dt DATE NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    row_hash VARCHAR
)
COMMENT = 'What the winners say of those films from first_dt on: there with a hash, or removed.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_versions (
    movie_key VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    movie_id VARCHAR NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    row_hash VARCHAR NOT NULL,
    described_by VARCHAR NOT NULL
)
COMMENT = 'Versions of those films: the last one before first_dt, and all from then on. described_by is the version that a removed film keeps the attributes of.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_gone (
    movie_key VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    movie_id VARCHAR NOT NULL
)
COMMENT = 'Versions of DIM_MOVIE that are no longer, or have other attributes.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_new (
    movie_key VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    movie_id VARCHAR NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    row_hash VARCHAR NOT NULL,
    described_by VARCHAR NOT NULL,
    batch_id VARCHAR NOT NULL,
    transform_id VARCHAR NOT NULL
)
COMMENT = 'Versions that DIM_MOVIE has not yet, with the batch that describes them.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_genres (
    genre_key VARCHAR NOT NULL,
    genre_name VARCHAR
)
COMMENT = 'Genres whose name may change, with the name that they have to have; null where no film has them any more.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_people (
    person_key VARCHAR NOT NULL,
    person_name VARCHAR
)
COMMENT = 'People whose name may change, with the name that they have to have; null where no film has them any more.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_moved_facts (
    source VARCHAR NOT NULL,
    movie_id VARCHAR NOT NULL,
    dt DATE NOT NULL,
    movie_key VARCHAR NOT NULL
)
COMMENT = 'Days of films, beside those of the winners, whose facts belong to another version now.';

CREATE OR ALTER TRANSIENT TABLE {{ database }}.CORE.work_changes (
    table_name VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    dt DATE NOT NULL,
    rows_inserted NUMBER(19, 0) NOT NULL,
    rows_updated NUMBER(19, 0) NOT NULL,
    rows_closed NUMBER(19, 0) NOT NULL,
    rows_deleted NUMBER(19, 0) NOT NULL
)
COMMENT = 'What was done to which table, to be noted in OPS.CORE_CHANGES.';
