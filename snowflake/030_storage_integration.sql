-- How Snowflake reaches the archive bucket. It is altered and never replaced: a new one has another external id.
CREATE STORAGE INTEGRATION IF NOT EXISTS {{ database }}_ARCHIVE
TYPE = EXTERNAL_STAGE
STORAGE_PROVIDER = 'S3'
ENABLED = TRUE
STORAGE_AWS_ROLE_ARN = {{ archive_role_arn }}
STORAGE_ALLOWED_LOCATIONS = ({{ archive_url }})
COMMENT = 'Reads the archive bucket.';

ALTER STORAGE INTEGRATION {{ database }}_ARCHIVE SET
STORAGE_AWS_ROLE_ARN = {{ archive_role_arn }}
STORAGE_ALLOWED_LOCATIONS = ({{ archive_url }});

GRANT USAGE ON INTEGRATION {{ database }}_ARCHIVE TO ROLE {{ database }}_OWNER;

GRANT USAGE ON INTEGRATION {{ database }}_ARCHIVE TO ROLE {{ database }}_LOADER;
