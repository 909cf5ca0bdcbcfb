"""The Glue gateway: Glue's API on 127.0.0.1, with job runs that really run.

MiniStack answers SUCCEEDED for a Spark job that it never ran, and drops parts of job definitions. This
server, which clients reach by boto3's own AWS_ENDPOINT_URL_GLUE, therefore answers for jobs and job runs
itself and forwards all else (the Data Catalog, tags, triggers) to MiniStack as it came.

- `wire`: Glue's protocol: operations, input validation, errors.
- `server`: HTTP; `gateway`: which operation does what; `backend`: asking MiniStack.
- `definitions`: job definitions; `arguments`: how Glue merges arguments.
- `records`: a job run as Glue describes it; `run_store`: job runs on disk; `states`: which state may follow which.
- `runner`: one job run from its script to its output; `launch`: runs the script and reports its exception;
  `spark`: the local Spark's configuration; `staging`: what reaches the output bucket; `logs`: CloudWatch
  Logs.
"""
