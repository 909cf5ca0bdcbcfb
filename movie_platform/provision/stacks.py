"""Deploys one CloudFormation stack by change sets: shows what would change, applies it, waits, explains
failures.

Buckets outlive their stack. Where a stack is new and its buckets exist already (it was deleted, or its state
was lost), they are imported into the stack first, bare, and then updated to what the template says.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from botocore.exceptions import ClientError

from movie_platform.errors import PlatformError
from movie_platform.provision.template import declared_resources
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_for

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef
    from mypy_boto3_s3 import S3Client

Progress = Callable[[str], None]
ChangeSetType = Literal["CREATE", "UPDATE", "IMPORT"]
_T = TypeVar("_T")

DEFAULT_DEADLINE_SECONDS = 900
_POLLS = Pauses(first=0.1, longest=5.0)
# A stack in one of these never came to life, or was being removed: what is left of it goes, its buckets stay.
_STILLBORN = frozenset(
    {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}
)
_USABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
# Also stands for a stack that CloudFormation does not know.
_GONE = "DELETE_COMPLETE"
_DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


class StackError(PlatformError):
    """A stack could not be deployed: it is not usable, failed, took too long, or needs somebody else's bucket."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What a stack shall be. `buckets` maps logical ids of retained buckets to their names."""

    name: str
    template: Path
    parameters: Mapping[str, str]
    buckets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One change of a stack: Add, Modify, Remove or Import of a resource."""

    action: str
    logical_id: str
    resource_type: str
    replaces: bool = False

    def __str__(self) -> str:
        return (
            f"{self.action} {self.logical_id} ({self.resource_type}){', replaced' if self.replaces else ''}"
        )


@dataclass(frozen=True, slots=True)
class StackResult:
    """What was, or in a dry run would be, changed; `outputs` of the stack as it is now."""

    name: str
    changes: tuple[ResourceChange, ...]
    outputs: Mapping[str, str]


class StackDeployer:
    """Deploys stacks one after another, each within `deadline_seconds`."""

    def __init__(
        self,
        cloudformation: "CloudFormationClient",
        s3: "S3Client",
        *,
        progress: Progress,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> None:
        self._cloudformation = cloudformation
        self._s3 = s3
        self._progress = progress
        self._deadline_seconds = deadline_seconds

    def deploy(self, stack: Stack) -> StackResult:
        """Creates the stack or brings it up to date; returns at once where nothing changed. Raises
        StackError.
        """
        deadline = Deadline(self._deadline_seconds)
        status = self._settled_status(stack.name, deadline)
        if status in _STILLBORN:
            self._progress(f"stack {stack.name}: removing what an earlier attempt left ({status})")
            self._cloudformation.delete_stack(StackName=stack.name)
            self._settled_status(stack.name, deadline)
            status = None
        imported: tuple[ResourceChange, ...] = ()
        if status is None:
            imported = self._import_buckets(stack, deadline)
            if imported:
                status = "IMPORT_COMPLETE"
        if status is not None and status not in _USABLE:
            raise StackError(
                "stack_not_usable",
                f"Stack {stack.name} is in the state {status}.",
                "Repair or delete it in CloudFormation (its buckets are kept), then run provision again.",
            )
        kind: ChangeSetType = "CREATE" if status is None else "UPDATE"
        changes = self._apply(stack.name, kind, self._request(stack), deadline)
        return StackResult(stack.name, imported + changes, self.outputs(stack.name))

    def difference(self, stack: Stack) -> StackResult:
        """What `deploy` would change; nothing is left behind but, for a moment, an unexecuted change set."""
        deadline = Deadline(self._deadline_seconds)
        status = self._settled_status(stack.name, deadline)
        if status is None or status in _STILLBORN:
            existing = self._existing_buckets(stack)
            changes = tuple(
                ResourceChange("Import" if logical_id in existing else "Add", logical_id, kind)
                for logical_id, kind in declared_resources(stack.template).items()
            )
            return StackResult(stack.name, changes, {})
        name, changes = self._change_set(stack.name, "UPDATE", self._request(stack), deadline)
        if name is not None:
            self._cloudformation.delete_change_set(StackName=stack.name, ChangeSetName=name)
        return StackResult(stack.name, changes, self.outputs(stack.name))

    def exists(self, name: str) -> bool:
        """Whether there is anything of a stack."""
        described = self._describe(name)
        return described is not None and described["StackStatus"] != _GONE

    def delete(self, name: str) -> None:
        """Deletes a stack; its buckets stay, as its template says. Nothing happens where there is none.

        Raises StackError where it fails or takes too long.
        """
        if not self.exists(name):
            return
        self._cloudformation.delete_stack(StackName=name)
        status = self._settled_status(name, Deadline(self._deadline_seconds))
        if status not in {None, _GONE}:
            raise StackError(
                "stack_not_deleted",
                f"Stack {name} ended as {status}. {self._failures(name)}",
                "Correct the cause, for example somebody's files in what it made, and delete again.",
            )

    def outputs(self, name: str) -> dict[str, str]:
        """The outputs of a stack; empty where it does not exist."""
        described = self._describe(name)
        if described is None:
            return {}
        return {
            output.get("OutputKey", ""): output.get("OutputValue", "")
            for output in described.get("Outputs", [])
        }

    def parameters(self, name: str) -> dict[str, str]:
        """The parameters of a stack as it is; empty where it does not exist."""
        described = self._describe(name)
        if described is None:
            return {}
        return {
            parameter.get("ParameterKey", ""): parameter.get("ParameterValue", "")
            for parameter in described.get("Parameters", [])
        }

    def _request(self, stack: Stack) -> dict[str, Any]:
        return {
            "TemplateBody": stack.template.read_text("utf-8"),
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value} for name, value in stack.parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM"],
            "Tags": [{"Key": "application", "Value": "movie-platform"}],
        }

    def _existing_buckets(self, stack: Stack) -> dict[str, str]:
        return {logical_id: name for logical_id, name in stack.buckets.items() if self._owns_bucket(name)}

    def _owns_bucket(self, name: str) -> bool:
        try:
            self._s3.head_bucket(Bucket=name)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status == 404:
                return False
            if status == 403:
                raise StackError(
                    "bucket_not_ours",
                    f"The bucket {name} exists and may not be read with these credentials.",
                    "Use other credentials, or another name_prefix if the bucket belongs to another account.",
                ) from error
            raise
        return True

    def _import_buckets(self, stack: Stack, deadline: Deadline) -> tuple[ResourceChange, ...]:
        existing = self._existing_buckets(stack)
        if not existing:
            return ()
        self._progress(f"stack {stack.name}: taking over {', '.join(existing.values())}")
        # Bare: an import changes nothing, so whatever else the template says has to be a change afterwards.
        template = {
            "Resources": {
                logical_id: {
                    "Type": "AWS::S3::Bucket",
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                    "Properties": {"BucketName": name},
                }
                for logical_id, name in existing.items()
            }
        }
        request: dict[str, Any] = {
            "TemplateBody": json.dumps(template),
            "ResourcesToImport": [
                {
                    "ResourceType": "AWS::S3::Bucket",
                    "LogicalResourceId": logical_id,
                    "ResourceIdentifier": {"BucketName": name},
                }
                for logical_id, name in existing.items()
            ],
        }
        return self._apply(stack.name, "IMPORT", request, deadline)

    def _apply(
        self, stack: str, kind: ChangeSetType, request: dict[str, Any], deadline: Deadline
    ) -> tuple[ResourceChange, ...]:
        name, changes = self._change_set(stack, kind, request, deadline)
        if name is None:
            return ()
        self._progress(f"stack {stack}: {len(changes)} resources change")
        self._cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
        status = self._settled_status(stack, deadline, reviewed=True)
        if status not in _DONE:
            raise StackError(
                "stack_failed",
                f"Stack {stack} ended as {status}. {self._failures(stack)}",
                "Correct the cause and run provision again; a stack that never was whole is removed then.",
            )
        return changes

    def _change_set(
        self, stack: str, kind: ChangeSetType, request: dict[str, Any], deadline: Deadline
    ) -> tuple[str | None, tuple[ResourceChange, ...]]:
        """Name and changes of a change set that is ready; no name where there is nothing to change."""
        name = f"provision-{uuid.uuid4().hex}"
        self._cloudformation.create_change_set(
            StackName=stack, ChangeSetName=name, ChangeSetType=kind, **request
        )

        def ended() -> "DescribeChangeSetOutputTypeDef | None":
            described = self._cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
            return described if described["Status"] in {"CREATE_COMPLETE", "FAILED"} else None

        described = _settled(ended, f"change set of stack {stack}", deadline)
        if described["Status"] == "CREATE_COMPLETE":
            return name, self._changes(stack, name)
        reason = described.get("StatusReason", "")
        nothing = any(phrase in reason for phrase in _NOTHING_TO_DO)
        refusals = [] if nothing else self._refusals(ChangeSetName=described["ChangeSetId"])
        self._cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
        if nothing:
            return None, ()
        raise StackError(
            "change_set_failed",
            f"The change set of stack {stack} failed: {' '.join([reason, *refusals])}",
            "Correct the template, its parameters or the rights of these credentials.",
        )

    def _changes(self, stack: str, name: str) -> tuple[ResourceChange, ...]:
        pages = self._cloudformation.get_paginator("describe_change_set").paginate(
            StackName=stack, ChangeSetName=name
        )
        changes = []
        for page in pages:
            for entry in page.get("Changes", []):
                change = entry.get("ResourceChange", {})
                changes.append(
                    ResourceChange(
                        change.get("Action", ""),
                        change.get("LogicalResourceId", ""),
                        change.get("ResourceType", ""),
                        replaces=change.get("Replacement") == "True",
                    )
                )
        return tuple(changes)

    def _settled_status(self, stack: str, deadline: Deadline, *, reviewed: bool = False) -> str | None:
        """The stack's status once no operation is running; None where there is no such stack.

        `reviewed`: a change set is being executed, so that REVIEW_IN_PROGRESS is about to end.
        """

        def settled() -> str | None:
            described = self._describe(stack)
            status = _GONE if described is None else described["StackStatus"]
            reviewing = status == "REVIEW_IN_PROGRESS" and not reviewed
            return status if reviewing or not status.endswith("_IN_PROGRESS") else None

        status = _settled(settled, f"stack {stack}", deadline)
        return None if status == _GONE else status

    def _describe(self, stack: str) -> Any:
        try:
            return self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response.get("Error", {}).get("Message", ""):
                return None
            raise

    def _failures(self, stack: str) -> str:
        """What failed in the stack's last operation and why, the first cause first."""
        failures = [*self._refusals(StackName=stack), *self._failed_resources(stack)]
        return " ".join(dict.fromkeys(failures)) or "No event says why."

    def _refusals(self, **of: Any) -> list[str]:
        """What CloudFormation refused before it touched anything, in the last operation of a stack or change set."""
        pages = self._cloudformation.get_paginator("describe_events").paginate(
            **of, Filters={"FailedEvents": True}
        )
        events = [event for page in pages for event in page.get("OperationEvents", [])]
        if not events:
            return []
        newest = max(events, key=lambda event: event.get("Timestamp", _LONG_AGO)).get("OperationId")
        return [
            f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}): {event.get('ValidationStatusReason')}"
            for event in events
            if event.get("OperationId") == newest and event.get("EventType") == "VALIDATION_ERROR"
        ]

    def _failed_resources(self, stack: str) -> list[str]:
        failures: list[str] = []
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        for page in pages:
            for event in page.get("StackEvents", []):
                is_stack = event.get("PhysicalResourceId") == event.get("StackId")
                status = event.get("ResourceStatus", "")
                if is_stack and status in _BEGINNINGS:
                    return failures[::-1]
                reason = event.get("ResourceStatusReason", "")
                if status.endswith("_FAILED") and "cancelled" not in reason:
                    failures.append(
                        f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}): {reason}"
                    )
        return failures[::-1]


def _settled(look: Callable[[], _T | None], what: str, deadline: Deadline) -> _T:
    """What a look gives once an operation of CloudFormation has ended. Raises StackError at the deadline."""
    try:
        return wait_for(look, what, deadline=deadline, pauses=_POLLS)
    except WaitTimeoutError as late:
        raise StackError(
            "stack_deadline",
            f"The {what} did not settle in time.",
            "See its events in CloudFormation; run provision again when the operation has ended.",
        ) from late
