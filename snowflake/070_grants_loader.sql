-- The loader appends to RAW and to OPS; it changes and deletes nothing.
GRANT USAGE ON SCHEMA {{ database }}.RAW TO ROLE {{ database }}_LOADER;

GRANT USAGE ON SCHEMA {{ database }}.OPS TO ROLE {{ database }}_LOADER;

GRANT CREATE PIPE ON SCHEMA {{ database }}.RAW TO ROLE {{ database }}_LOADER;

GRANT CREATE PIPE ON SCHEMA {{ database }}.OPS TO ROLE {{ database }}_LOADER;

GRANT SELECT, INSERT ON FUTURE TABLES IN SCHEMA {{ database }}.RAW TO ROLE {{ database }}_LOADER;

GRANT SELECT, INSERT ON FUTURE TABLES IN SCHEMA {{ database }}.OPS TO ROLE {{ database }}_LOADER;

GRANT USAGE ON FUTURE STAGES IN SCHEMA {{ database }}.RAW TO ROLE {{ database }}_LOADER;

GRANT USAGE ON FUTURE FILE FORMATS IN SCHEMA {{ database }}.RAW TO ROLE {{ database }}_LOADER;
