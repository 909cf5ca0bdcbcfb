-- What the roles may do in the account: use a warehouse, and run tasks.
GRANT USAGE ON WAREHOUSE {{ warehouse }} TO ROLE {{ database }}_OWNER;

GRANT USAGE ON WAREHOUSE {{ warehouse }} TO ROLE {{ database }}_LOADER;

GRANT USAGE ON WAREHOUSE {{ warehouse }} TO ROLE {{ database }}_TRANSFORMER;

GRANT USAGE ON WAREHOUSE {{ warehouse }}_READERS TO ROLE {{ database }}_READER;

GRANT USAGE ON WAREHOUSE {{ warehouse }}_READERS TO ROLE {{ database }}_ANALYST;

-- Who deploys looks whether it is there.
GRANT USAGE ON WAREHOUSE {{ warehouse }}_READERS TO ROLE {{ database }}_DEPLOYER;

GRANT EXECUTE TASK ON ACCOUNT TO ROLE {{ database }}_TRANSFORMER;
