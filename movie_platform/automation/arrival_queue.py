"""The queue that S3's events reach: what lies in it, and taking a message off it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from movie_platform.automation.arrivals import Arrival, Unusable, arrivals_of_message

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# SQS gives at most 10 messages at once; a tick takes no more than this many, the next takes the rest.
MESSAGES_A_RECEIVE = 10
MESSAGES_A_TICK = 100
# Longer than a tick takes: a message that the tick does not finish with comes back.
VISIBILITY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the queue, taken apart. One that is no S3 event has no arrivals."""

    receipt: str
    arrivals: tuple[Arrival, ...]
    unusable: tuple[Unusable, ...]


@dataclass(frozen=True, slots=True)
class ArrivalQueue:
    """The queue with the client that asks it. Errors are boto3's own."""

    sqs: "SQSClient"
    url: str

    @classmethod
    def named(cls, sqs: "SQSClient", name: str) -> Self:
        """The queue of that name in the client's account; it must exist."""
        return cls(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])

    def receive(self) -> list[Received]:
        """What lies in the queue, up to a bound. It stays there, hidden for VISIBILITY_SECONDS."""
        found: list[Received] = []
        while len(found) < MESSAGES_A_TICK:
            messages = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=MESSAGES_A_RECEIVE,
                VisibilityTimeout=VISIBILITY_SECONDS,
                WaitTimeSeconds=0,
            ).get("Messages", [])
            if not messages:
                break
            for message in messages:
                arrivals, unusable = arrivals_of_message(message.get("Body", ""))
                found.append(Received(message.get("ReceiptHandle", ""), tuple(arrivals), tuple(unusable)))
        return found

    def delete(self, message: Received) -> None:
        """Take a message off the queue for good."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt)
