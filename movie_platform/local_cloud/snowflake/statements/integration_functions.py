"""The system function on storage integrations.

Source: Snowflake documentation, "SYSTEM$VALIDATE_STORAGE_INTEGRATION"
(docs.snowflake.com/en/sql-reference/functions/system_validate_storage_integration).
"""

import json

from botocore.exceptions import BotoCoreError, ClientError

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, invalid_value
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.lake import STORAGE_UNREACHABLE
from movie_platform.local_cloud.snowflake.state.stage_lookup import parse_url
from movie_platform.local_cloud.snowflake.state.storage_access import DENIED, LISTING
from movie_platform.local_cloud.snowflake.text.iam_policy import Document

# What each action needs of S3. Writing and deleting are asked of the policies alone: nothing is written.
_NEEDS = {
    "READ": ("s3:GetObject", "s3:GetObjectVersion"),
    "WRITE": ("s3:PutObject",),
    "LIST": LISTING,
    "DELETE": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
}
_NO_SUCH_KEY = "The specified key does not exist (Status Code: 404; Error Code: NoSuchKey)"


def validate_integration(session: Session, name: str, path: str, file: str, action: str) -> str:
    """SYSTEM$VALIDATE_STORAGE_INTEGRATION: a JSON object; names of integrations are taken as they are written.

    Raises SnowflakeError where there is no such integration or action, or the path is not one of the integration's.
    """
    asked = list(_NEEDS) if action.upper() == "ALL" else [action.upper()]
    if not set(asked) <= _NEEDS.keys():
        raise invalid_value(action, "validate_action")
    properties = session.account.access.require("INTEGRATION", name).properties
    bucket, prefix = parse_url(path)
    allowed = [str(item) for item in properties.get("STORAGE_ALLOWED_LOCATIONS", ())]
    if not any(item == "*" or path.startswith(item) for item in allowed):
        raise SnowflakeError(
            3167,
            "42601",
            f"Location '{path}' is not allowed by integration {name}. "
            "Please use DESC INTEGRATION to check out allowed and blocked locations.",
        )
    try:
        policies = session.account.storage.assume(properties)
        results = {found: _result(session, policies, bucket, prefix, file, found) for found in asked}
    except SnowflakeError as error:
        return json.dumps({"status": "failure", "message": error.message, "actions": {}})
    except (ClientError, BotoCoreError) as error:
        raise SnowflakeError(
            STORAGE_UNREACHABLE, "22000", f"AWS cannot be asked: {type(error).__name__}: {error}"
        ) from error
    status = "failure" if any(item["status"] == "failure" for item in results.values()) else "success"
    return json.dumps({"status": status, "actions": results})


def _result(
    session: Session, policies: list[Document], bucket: str, prefix: str, file: str, action: str
) -> dict[str, str]:
    if session.account.storage.refused(policies, bucket, prefix, _NEEDS[action]):
        return {"status": "failure", "message": DENIED}
    if action in {"READ", "WRITE"}:
        there = session.account.lake.head(bucket, f"{prefix}{file}") is not None
        if there != (action == "READ"):
            return {
                "status": "failure",
                "message": _NO_SUCH_KEY if action == "READ" else f"The file {file} exists already",
            }
    return {"status": "success"}
