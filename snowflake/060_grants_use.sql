-- What all three roles need to run a query at all.
GRANT USAGE ON DATABASE {{ database }} TO ROLE {{ database }}_LOADER;

GRANT USAGE ON DATABASE {{ database }} TO ROLE {{ database }}_TRANSFORMER;

GRANT USAGE ON DATABASE {{ database }} TO ROLE {{ database }}_READER;

GRANT USAGE ON WAREHOUSE {{ warehouse }} TO ROLE {{ database }}_LOADER;

GRANT USAGE ON WAREHOUSE {{ warehouse }} TO ROLE {{ database }}_TRANSFORMER;

GRANT USAGE ON WAREHOUSE {{ warehouse }} TO ROLE {{ database }}_READER;
