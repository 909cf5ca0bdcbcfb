"""The Glue job that cleanses, enriches and quarantines a verified batch, and writes it to the archive.

`transform_movies.py` is the entry. The modules hold pure functions from columns to columns and from DataFrames to
DataFrames, with input and output at the edges (`reading`, `staging`, `catalog`, `s3`). They run on AWS Glue 5.1 and
on any Spark 3.5, and import nothing but the standard library, pyspark, pyarrow, boto3, `movie_platform.contracts` and,
where Dagster started the run, dagster_pipes.
"""
