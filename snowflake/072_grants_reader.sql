-- The reader reads the marts, and nothing else.
GRANT USAGE ON SCHEMA {{ database }}.MARTS TO ROLE {{ database }}_READER;

GRANT SELECT ON FUTURE VIEWS IN SCHEMA {{ database }}.MARTS TO ROLE {{ database }}_READER;
