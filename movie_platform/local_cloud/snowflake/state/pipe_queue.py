"""The SQS queue that all pipes of the account share: its name, its making, and how much is in it."""

import hashlib
import json
import logging

from botocore.exceptions import BotoCoreError, ClientError

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.state.lake import STORAGE_UNREACHABLE, Lake

logger = logging.getLogger(__name__)

_VISIBILITY_SECONDS = 60


class PipeQueue:
    """One queue an account, always of the same name: its ARN survives the loss of the queue."""

    # The name is that of the queues which existing homes and the notifications of their buckets have.
    name = f"sf-snowpipe-LOCAL-{hashlib.sha256(b'movie-platform local snowflake').hexdigest()[:16]}"

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def channel(self) -> str:
        """The queue's ARN; creates the queue where it is not there.

        Raises SnowflakeError where SQS cannot be reached.
        """
        try:
            return self.ensure()[1]
        except (ClientError, BotoCoreError) as error:
            raise SnowflakeError(
                STORAGE_UNREACHABLE,
                "22000",
                f"The notification queue cannot be created in SQS: {type(error).__name__}: {error}",
            ) from error

    def ensure(self) -> tuple[str, str]:
        """The queue's URL and ARN; creates the queue where it is not there.

        Raises botocore's errors where SQS cannot be reached, SnowflakeError where there is no endpoint of one.
        """
        attributes = {"VisibilityTimeout": str(_VISIBILITY_SECONDS), "ReceiveMessageWaitTimeSeconds": "0"}
        url = self._lake.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        arn = self._lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]},
                    "Action": "sqs:SendMessage", "Resource": arn,
                }
            ],
        }  # fmt: skip
        self._lake.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        return url, arn

    def outstanding(self) -> int | None:
        """About how many messages nobody has received yet; None where SQS does not say."""
        try:
            url = self._lake.sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
            answer = self._lake.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except (ClientError, BotoCoreError, SnowflakeError) as error:
            logger.warning("Snowpipe cannot count the messages in its queue: %s", error)
            return None
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])
