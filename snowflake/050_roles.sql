-- The roles: one loads, one transforms, one reads. Administrators hold all three through SYSADMIN.
CREATE ROLE IF NOT EXISTS {{ database }}_LOADER
COMMENT = 'Owns the pipes and loads RAW.';

CREATE ROLE IF NOT EXISTS {{ database }}_TRANSFORMER
COMMENT = 'Reads RAW, keeps CORE and MARTS.';

CREATE ROLE IF NOT EXISTS {{ database }}_READER
COMMENT = 'Reads MARTS.';

GRANT ROLE {{ database }}_LOADER TO ROLE SYSADMIN;

GRANT ROLE {{ database }}_TRANSFORMER TO ROLE SYSADMIN;

GRANT ROLE {{ database }}_READER TO ROLE SYSADMIN;
