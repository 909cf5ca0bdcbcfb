"""The local cloud: AWS and Snowflake as servers on 127.0.0.1, started and stopped as one.

`supervisor` is the entry: `up`, `down`, `status`, `reset`. `aws` serves MiniStack, `glue` the job runs that
MiniStack only pretends, `snowflake` the warehouse. Nothing in the platform imports this package but the
command, `bench` and the tests: all other code meets these servers through boto3 and the Snowflake connector, as it
meets the real ones.
"""
