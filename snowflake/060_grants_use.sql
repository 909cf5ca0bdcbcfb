-- What all roles need to reach anything at all.
GRANT USAGE ON DATABASE {{ database }} TO ROLE {{ database }}_LOADER;

GRANT USAGE ON DATABASE {{ database }} TO ROLE {{ database }}_TRANSFORMER;

GRANT USAGE ON DATABASE {{ database }} TO ROLE {{ database }}_READER;

GRANT USAGE ON DATABASE {{ database }} TO ROLE {{ database }}_ANALYST;
