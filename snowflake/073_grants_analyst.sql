-- The analyst reads all schemas: what is there, and what will be.
GRANT USAGE ON ALL SCHEMAS IN DATABASE {{ database }} TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON ALL TABLES IN SCHEMA {{ database }}.RAW TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON FUTURE TABLES IN SCHEMA {{ database }}.RAW TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON ALL TABLES IN SCHEMA {{ database }}.CORE TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON FUTURE TABLES IN SCHEMA {{ database }}.CORE TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON ALL TABLES IN SCHEMA {{ database }}.OPS TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON FUTURE TABLES IN SCHEMA {{ database }}.OPS TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON ALL VIEWS IN SCHEMA {{ database }}.MARTS TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON FUTURE VIEWS IN SCHEMA {{ database }}.MARTS TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON ALL VIEWS IN SCHEMA {{ database }}.OPS TO ROLE {{ database }}_ANALYST;

GRANT SELECT ON FUTURE VIEWS IN SCHEMA {{ database }}.OPS TO ROLE {{ database }}_ANALYST;
