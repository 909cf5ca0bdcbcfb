"""Whether Snowflake may do something at a stage's location: the role of its integration is asked of IAM.

The role must exist and trust the integration's user with its external id; its policies must allow what is to be done.
Sources: Snowflake documentation, "Configuring a Snowflake storage integration to access Amazon S3"
(docs.snowflake.com/en/user-guide/data-load-s3-config-storage-integration); it lists the permissions that reading needs.
A stage without an integration and without credentials reads public buckets alone ("CREATE STAGE").
"""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.state.access_store import AccessStore
from movie_platform.local_cloud.snowflake.state.clock import Clock
from movie_platform.local_cloud.snowflake.state.lake import STORAGE_UNREACHABLE, Lake
from movie_platform.local_cloud.snowflake.state.stage_lookup import StageLocation
from movie_platform.local_cloud.snowflake.text.iam_policy import Document, Request, allows, denies

# The IAM user as which Snowflake assumes roles: of an account of Snowflake's own, not of its customers'.
IAM_USER_ARN = "arn:aws:iam::100000000001:user/local-snowflake"
ROLE_NOT_ASSUMED = 3167
ACCESS_DENIED = 91003
NOT_ALLOWED = frozenset({ROLE_NOT_ASSUMED, ACCESS_DENIED})
DENIED = "Access Denied (Status Code: 403; Error Code: AccessDenied)"

LISTING = ("s3:GetBucketLocation", "s3:ListBucket")
READING = (*LISTING, "s3:GetObject", "s3:GetObjectVersion")
_OF_BUCKETS = frozenset(LISTING)
# An assumed role's session lasts; a worker that loads piece after piece does not assume it for each.
_SESSION_SECONDS = 30.0


class StorageAccess:
    """Asks IAM each time, but for `require_lately`. A trust counts `trust_delay` after it is seen first."""

    def __init__(self, lake: Lake, access: AccessStore, clock: Clock, trust_delay: timedelta) -> None:
        self._lake = lake
        self._access = access
        self._clock = clock
        self._trust_delay = trust_delay
        self._lock = threading.Lock()
        self._trusted_since: dict[tuple[str, str], datetime] = {}
        self._lately: dict[StageLocation, float] = {}

    def require(self, location: StageLocation, actions: Iterable[str]) -> None:
        """Raises SnowflakeError where one of these actions of S3 is not allowed at a stage's location."""
        try:
            if location.integration is None:
                policies = [self._bucket_policy(location.bucket)]
                who: str | None = "anonymous"
            else:
                integration = self._access.require("INTEGRATION", location.integration)
                policies, who = self.assume(integration.properties), None
            refused = self.refused(policies, location.bucket, location.prefix, actions, who)
        except (ClientError, BotoCoreError) as error:
            raise _unreachable(error) from error
        if refused:
            raise SnowflakeError(
                ACCESS_DENIED,
                "55000",
                f"Failure using stage area. Cause: [{DENIED}]\n"
                f"  s3://{location.bucket}/{location.prefix}: {', '.join(refused)}",
            )

    def require_lately(self, location: StageLocation) -> None:
        """As `require` for reading; what was allowed within the last half minute is not asked again."""
        if time.monotonic() - self._lately.get(location, -_SESSION_SECONDS) < _SESSION_SECONDS:
            return
        self.require(location, READING)
        self._lately[location] = time.monotonic()

    def assume(self, integration: Mapping[str, Any]) -> list[Document]:
        """Assumes an integration's role; gives the policies of the role.

        Raises SnowflakeError 003167 where it does not exist or does not trust the integration (yet), botocore's errors
        where IAM cannot be asked.
        """
        arn, external_id = (
            str(integration["STORAGE_AWS_ROLE_ARN"]),
            str(integration["STORAGE_AWS_EXTERNAL_ID"]),
        )
        role = self._role(arn)
        trusted = role is not None and allows(
            [role["AssumeRolePolicyDocument"]],
            Request("sts:AssumeRole", arn, IAM_USER_ARN, {"sts:externalid": external_id}),
        )
        if role is None or not self._counts(arn, external_id, trusted=trusted):
            raise SnowflakeError(
                ROLE_NOT_ASSUMED,
                "42601",
                f"Error assuming AWS_ROLE:\nUser: {IAM_USER_ARN} is not authorized to perform: sts:AssumeRole "
                f"on resource: {arn}",
            )
        return self._policies(role["RoleName"])

    def refused(
        self,
        policies: list[Document],
        bucket: str,
        prefix: str,
        actions: Iterable[str],
        who: str | None = None,
    ) -> list[str]:
        """Those of the actions that policies do not allow; `who` is the principal where these are a bucket's own.

        Raises botocore's errors where S3 cannot be asked.
        """
        context = {"s3:prefix": prefix, "aws:securetransport": "true"}
        of_bucket = [] if who is not None else [self._bucket_policy(bucket)]
        found: list[str] = []
        for action in actions:
            resource = f"arn:aws:s3:::{bucket}"
            if action not in _OF_BUCKETS:
                # Any object there; a policy that allows single ones alone does not do.
                resource = f"{resource}/{prefix}some-object"
            request = Request(action, resource, who, context)
            if not allows(policies, request) or denies(
                of_bucket, Request(action, resource, IAM_USER_ARN, context)
            ):
                found.append(action)
        return found

    def _counts(self, arn: str, external_id: str, *, trusted: bool) -> bool:
        with self._lock:
            if not trusted:
                self._trusted_since.pop((arn, external_id), None)
                return False
            now = self._clock.now()
            return now - self._trusted_since.setdefault((arn, external_id), now) >= self._trust_delay

    def _role(self, arn: str) -> Mapping[str, Any] | None:
        try:
            role = self._lake.iam.get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"NoSuchEntity", "ValidationError"}:
                return None
            raise
        return role if role["Arn"] == arn else None

    def _policies(self, role: str) -> list[Document]:
        iam = self._lake.iam
        found: list[Document] = []
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
            found += [
                iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                for name in page["PolicyNames"]
            ]
        for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
            for attached in page["AttachedPolicies"]:
                arn = attached["PolicyArn"]
                version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
                found.append(answer["PolicyVersion"]["Document"])
        return found

    def _bucket_policy(self, bucket: str) -> Document:
        try:
            return json.loads(self._lake.s3.get_bucket_policy(Bucket=bucket)["Policy"])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"NoSuchBucketPolicy", "NoSuchBucket"}:
                return {}
            raise


def _unreachable(error: Exception) -> SnowflakeError:
    return SnowflakeError(
        STORAGE_UNREACHABLE, "22000", f"AWS cannot be asked: {type(error).__name__}: {error}"
    )
