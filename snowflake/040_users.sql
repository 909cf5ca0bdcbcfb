-- The users, each with a key pair of its own, which provision sets: one deploys, one runs the pipeline, one reads. Of a user's
-- roles a session has one at a time. None holds an administrator's role.
CREATE USER IF NOT EXISTS {{ deployer_user }}
TYPE = SERVICE
COMMENT = 'Movie Platform: deploys.';

CREATE USER IF NOT EXISTS {{ user }}
TYPE = SERVICE
COMMENT = 'Movie Platform: the orchestrator.';

CREATE USER IF NOT EXISTS {{ reader_user }}
TYPE = SERVICE
COMMENT = 'Movie Platform: tools that read the marts.';

-- Of a user who was there before as of a new one.
ALTER USER {{ deployer_user }} SET
DEFAULT_ROLE = {{ database }}_DEPLOYER
DEFAULT_WAREHOUSE = {{ warehouse }}
DEFAULT_SECONDARY_ROLES = ();

ALTER USER {{ user }} SET
DEFAULT_ROLE = {{ database }}_LOADER
DEFAULT_WAREHOUSE = {{ warehouse }}
DEFAULT_SECONDARY_ROLES = ();

ALTER USER {{ reader_user }} SET
DEFAULT_ROLE = {{ database }}_READER
DEFAULT_WAREHOUSE = {{ warehouse }}_READERS
DEFAULT_SECONDARY_ROLES = ();

GRANT ROLE {{ database }}_DEPLOYER TO USER {{ deployer_user }};

GRANT ROLE {{ database }}_LOADER TO USER {{ user }};

GRANT ROLE {{ database }}_TRANSFORMER TO USER {{ user }};

GRANT ROLE {{ database }}_ANALYST TO USER {{ user }};

GRANT ROLE {{ database }}_READER TO USER {{ reader_user }};
