"""The Airflow Variable that tells the DAGs where a deployment's things are: names and addresses, no secrets."""

import json

from movie_platform.settings import Settings

VARIABLE = "movie_platform"


def airflow_variables(settings: Settings) -> str:
    """JSON for `airflow variables import`, of what these settings point at."""
    queue = settings.queue_name("arrivals")
    endpoint = settings.aws_endpoint_url or f"https://sqs.{settings.aws_region}.amazonaws.com"
    values = {
        "alert_topic_arn": settings.topic_arn("alerts"),
        "archive_bucket": settings.bucket("archive"),
        "arrivals_queue_url": f"{endpoint.rstrip('/')}/{settings.aws_account_id}/{queue}",
        "catalog_database": settings.glue_database_name,
        "processed_bucket": settings.bucket("processed"),
        "transform_job": settings.glue_job_name,
        "transformer_role": settings.snowflake_transformer_role,
        "unpack_function": settings.unpack_function_name,
    }
    return json.dumps({VARIABLE: values}, indent=2, sort_keys=True) + "\n"
