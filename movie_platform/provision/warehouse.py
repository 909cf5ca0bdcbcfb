"""What Snowflake has to be told, and what it answers: the parameters of the SQL files, the trust, the pipes'
queue.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.warehouse import ATTEMPTS_A_DAY, DAYS_A_RUN, ROWS_A_RUN
from movie_platform.errors import PlatformError
from movie_platform.provision.render import Parameter
from movie_platform.resources.snowflake_connection import query_rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from movie_platform.settings import Settings

# Snowflake shows what an administrator may spend as this; a warehouse of size XSMALL uses one credit an hour.
CREDIT_QUOTA = "50"


class SnowflakeAnswerError(PlatformError):
    """Snowflake's description of an integration or a pipe lacks what the stack needs."""


# The stack's parameters that Snowflake answers: whom the archive's role has to trust, and the queue that the archive
# bucket has to notify.
TRUST_PARAMETERS = ("SnowflakeUserArn", "SnowflakeExternalId")
QUEUE_PARAMETER = "PipeQueueArn"


def sql_parameters(settings: "Settings", archive_role_arn: str) -> dict[str, Parameter]:
    """The parameters of the SQL files; each is checked when a file is rendered."""
    return {
        "database": Parameter("identifier", settings.snowflake_database.upper()),
        "warehouse": Parameter("identifier", settings.snowflake_warehouse.upper()),
        "user": Parameter("identifier", settings.snowflake_user.upper()),
        "deployer_user": Parameter("identifier", settings.snowflake_deployer_user.upper()),
        "reader_user": Parameter("identifier", settings.snowflake_reader_user.upper()),
        "credit_quota": Parameter("number", CREDIT_QUOTA),
        "attempts_a_day": Parameter("number", str(ATTEMPTS_A_DAY)),
        "days_a_run": Parameter("number", str(DAYS_A_RUN)),
        "rows_a_run": Parameter("number", str(ROWS_A_RUN)),
        "archive_url": Parameter("url", f"s3://{settings.bucket('archive')}/"),
        "archive_role_arn": Parameter("arn", archive_role_arn),
    }


def trust_of_integration(connection: "SnowflakeConnection", database: str) -> dict[str, str]:
    """What DESC INTEGRATION says of whom the archive's role has to trust, as parameters of the stack.

    Raises SnowflakeAnswerError where it lacks something.
    """
    name = Parameter("identifier", database).sql("database")
    properties = {
        str(row["property"]).upper(): str(row["property_value"])
        for row in query_rows(connection, f"DESC INTEGRATION {name}_ARCHIVE")
    }
    values = (
        _property(properties, "STORAGE_AWS_IAM_USER_ARN"),
        _property(properties, "STORAGE_AWS_EXTERNAL_ID"),
    )
    return dict(zip(TRUST_PARAMETERS, values, strict=True))


def queue_of_pipes(connection: "SnowflakeConnection", database: str) -> dict[str, str]:
    """The queue that SHOW PIPES says, as a parameter of the stack.

    Raises SnowflakeAnswerError where a pipe is missing, or pipes do not share one.
    """
    name = Parameter("identifier", database).sql("database")
    channels = {
        f"{row['schema_name']}.{row['name']}".upper(): str(row["notification_channel"] or "")
        for row in query_rows(connection, f"SHOW PIPES IN DATABASE {name}")
    }
    return {QUEUE_PARAMETER: _the_queue(channels)}


def _property(properties: Mapping[str, str], name: str) -> str:
    value = properties.get(name, "")
    if not value:
        raise SnowflakeAnswerError(
            "integration_incomplete",
            f"DESC INTEGRATION does not say {name}.",
            "See whether the storage integration exists and is of the type EXTERNAL_STAGE for S3.",
        )
    return value


def _the_queue(channels: Mapping[str, str]) -> str:
    """The one queue that all pipes of the archive share, as Snowflake gives one queue to an account and
    bucket.
    """
    expected = [f"{table.snowflake_schema}.{table.name}_PIPE".upper() for table in ARCHIVE_TABLES]
    missing = [name for name in expected if not channels.get(name)]
    queues = sorted({channels[name] for name in expected if channels.get(name)})
    if missing or len(queues) != 1:
        raise SnowflakeAnswerError(
            "pipes_incomplete",
            f"Pipes without a notification channel: {', '.join(missing) or 'none'};"
            f" channels: {', '.join(queues) or 'none'}.",
            "See SHOW PIPES: each pipe of the archive has AUTO_INGEST = TRUE, and all share one queue.",
        )
    return queues[0]
