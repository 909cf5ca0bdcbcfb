-- The database; what it holds can be recovered for a day. It belongs to the owner's role, with all that an administrator's
-- role owned in it before there was one.
CREATE OR ALTER DATABASE {{ database }}
DATA_RETENTION_TIME_IN_DAYS = 1
COMMENT = 'Movie Platform.';

-- The other schemas are the owner's own work; this one is here for the views that it may hold already.
CREATE OR ALTER SCHEMA {{ database }}.OPS
WITH MANAGED ACCESS
COMMENT = 'What the platform notes about its own work.';

GRANT OWNERSHIP ON DATABASE {{ database }} TO ROLE {{ database }}_OWNER COPY CURRENT GRANTS;

GRANT OWNERSHIP ON ALL SCHEMAS IN DATABASE {{ database }} TO ROLE {{ database }}_OWNER COPY CURRENT GRANTS;

GRANT OWNERSHIP ON ALL TABLES IN DATABASE {{ database }} TO ROLE {{ database }}_OWNER COPY CURRENT GRANTS;

GRANT OWNERSHIP ON ALL STREAMS IN DATABASE {{ database }} TO ROLE {{ database }}_OWNER COPY CURRENT GRANTS;

GRANT OWNERSHIP ON ALL STAGES IN DATABASE {{ database }} TO ROLE {{ database }}_OWNER COPY CURRENT GRANTS;

GRANT OWNERSHIP ON ALL FILE FORMATS IN DATABASE {{ database }} TO ROLE {{ database }}_OWNER COPY CURRENT GRANTS;

GRANT OWNERSHIP ON ALL VIEWS IN SCHEMA {{ database }}.OPS TO ROLE {{ database }}_OWNER COPY CURRENT GRANTS;
