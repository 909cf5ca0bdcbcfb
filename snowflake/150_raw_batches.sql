-- RAW.BATCHES: append-only; a pipe loads it from the archive.
CREATE TABLE IF NOT EXISTS {{ database }}.RAW.batches (
    source VARCHAR NOT NULL COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt DATE NOT NULL COMMENT 'UTC date that the extract describes.',
    batch_id VARCHAR NOT NULL COMMENT 'Batch: time of extraction and the first 12 digits of the content''s hash.',
    transform_id VARCHAR NOT NULL COMMENT 'Hash of the code and options that made this row.',
    announcement NUMBER(10, 0) NOT NULL COMMENT '0 for the first, one more each time that this version becomes the newest again.',
    transformed_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When the announcing run began, UTC; the newest version of a batch wins.',
    load_type VARCHAR NOT NULL COMMENT 'full or delta.',
    extracted_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When the source was read, UTC.',
    content_id VARCHAR NOT NULL COMMENT 'SHA-256 of the batch''s rows as a multiset, columns, source and load type.',
    rows_in NUMBER(19, 0) NOT NULL COMMENT 'Rows of the bundle, rejected ones included.',
    exact_duplicates NUMBER(19, 0) NOT NULL COMMENT 'Rows that were removed because the batch holds the same row already.',
    movies_rows NUMBER(19, 0) NOT NULL COMMENT 'Rows of movies that belong to the version.',
    movies_files NUMBER(10, 0) NOT NULL COMMENT 'Files of movies that belong to the version.',
    movie_ratings_rows NUMBER(19, 0) NOT NULL COMMENT 'Rows of movie_ratings that belong to the version.',
    movie_ratings_files NUMBER(10, 0) NOT NULL COMMENT 'Files of movie_ratings that belong to the version.',
    movie_genres_rows NUMBER(19, 0) NOT NULL COMMENT 'Rows of movie_genres that belong to the version.',
    movie_genres_files NUMBER(10, 0) NOT NULL COMMENT 'Files of movie_genres that belong to the version.',
    movie_people_rows NUMBER(19, 0) NOT NULL COMMENT 'Rows of movie_people that belong to the version.',
    movie_people_files NUMBER(10, 0) NOT NULL COMMENT 'Files of movie_people that belong to the version.',
    quarantined_rows_rows NUMBER(19, 0) NOT NULL COMMENT 'Rows of quarantined_rows that belong to the version.',
    quarantined_rows_files NUMBER(10, 0) NOT NULL COMMENT 'Files of quarantined_rows that belong to the version.',
    keyless_quarantined_rows NUMBER(19, 0) NOT NULL COMMENT 'Quarantined rows without a key; a batch that has any removes no film.',
    file_name VARCHAR NOT NULL COMMENT 'Path of the file that the row was loaded from, within the stage.',
    file_row NUMBER(19, 0) NOT NULL COMMENT 'Number of the row in its file.',
    loaded_at TIMESTAMP_LTZ(6) NOT NULL COMMENT 'When the load of the file began, UTC.'
)
COMMENT = 'Announcements: a row says that a version of a batch is whole and what belongs to it.';
