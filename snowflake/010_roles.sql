-- The roles. One owns, one loads, one transforms; the deployer holds these three. Two read: the marts, or everything.
CREATE OR ALTER ROLE {{ database }}_OWNER
COMMENT = 'Owns the database, its schemas, tables, streams and the stage.';

CREATE OR ALTER ROLE {{ database }}_LOADER
COMMENT = 'Owns the pipes and loads RAW.';

CREATE OR ALTER ROLE {{ database }}_TRANSFORMER
COMMENT = 'Owns the task graph, reads RAW, keeps CORE and MARTS.';

CREATE OR ALTER ROLE {{ database }}_READER
COMMENT = 'Reads MARTS.';

CREATE OR ALTER ROLE {{ database }}_ANALYST
COMMENT = 'Reads all schemas.';

CREATE OR ALTER ROLE {{ database }}_DEPLOYER
COMMENT = 'Deploys: holds what owns, loads and transforms.';

GRANT ROLE {{ database }}_OWNER TO ROLE {{ database }}_DEPLOYER;

GRANT ROLE {{ database }}_LOADER TO ROLE {{ database }}_DEPLOYER;

GRANT ROLE {{ database }}_TRANSFORMER TO ROLE {{ database }}_DEPLOYER;

GRANT ROLE {{ database }}_DEPLOYER TO ROLE SYSADMIN;

GRANT ROLE {{ database }}_READER TO ROLE SYSADMIN;

GRANT ROLE {{ database }}_ANALYST TO ROLE SYSADMIN;
