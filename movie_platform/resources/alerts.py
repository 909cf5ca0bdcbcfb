"""Alerts: one message on the SNS topic, with what happened, why, where to look and what to do next."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import dagster as dg

from movie_platform.resources.aws import AwsResource

# SNS limits of a publish (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html): a subject of fewer than
# 100 ASCII characters, a message of 256 KiB.
SUBJECT_CHARACTERS = 99
TEXT_CHARACTERS = 4000

AlertKind = Literal["run_failed", "check_failed", "freshness_failed", "quarantined_bundle", "unusable_object"]


@dataclass(frozen=True, slots=True)
class Alert:
    """What people need to know to act; every field is a sentence or an address."""

    kind: AlertKind
    what: str
    why: str
    where: str
    next: str

    @property
    def subject(self) -> str:
        """The first line of `what` as SNS allows it."""
        text = f"Movie Platform: {self.what}".splitlines()[0].encode("ascii", "replace").decode()
        return "".join(character for character in text if character.isprintable())[:SUBJECT_CHARACTERS]

    def body(self, at: datetime) -> str:
        """The message as JSON, its texts cut at a bound."""
        fields = {name: text[:TEXT_CHARACTERS] for name, text in asdict(self).items()}
        return json.dumps({**fields, "at": at.isoformat()}, ensure_ascii=False)


class AlertTopic(dg.ConfigurableResource):
    """Sends alerts to the deployment's SNS topic; who is to hear of them subscribes there."""

    topic_arn: str
    aws: dg.ResourceDependency[AwsResource]

    def publish(self, alert: Alert) -> str:
        """Sends an alert; returns SNS's message id. Botocore's errors pass through: an alert is never lost silently."""
        answer = self.aws.client("sns").publish(
            TopicArn=self.topic_arn,
            Subject=alert.subject,
            Message=alert.body(datetime.now(UTC)),
            MessageAttributes={"kind": {"DataType": "String", "StringValue": alert.kind}},
        )
        return answer["MessageId"]
