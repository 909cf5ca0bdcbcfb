"""boto3 clients for sources that lie in AWS: profiles' secrets and `s3://` paths. Endpoints come from the settings."""

from typing import Any

from movie_platform.settings import Settings

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 60


def client(settings: Settings, service: str) -> Any:
    """A boto3 client with bounded waiting; credentials by boto3's own ways unless the settings hold some."""
    # boto3 costs part of a second, and most profiles need nothing of AWS.
    import boto3
    from botocore.config import Config

    session = boto3.Session(profile_name=settings.aws_profile, region_name=settings.aws_region)
    secret_key = settings.aws_secret_access_key
    arguments: dict[str, Any] = {
        "endpoint_url": settings.aws_endpoint_url,
        "aws_access_key_id": settings.aws_access_key_id,
        "aws_secret_access_key": None if secret_key is None else secret_key.get_secret_value(),
        "config": Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "max_attempts": 4},
            s3={"addressing_style": "path"} if settings.aws_endpoint_url else None,
        ),
    }
    return session.client(service, **arguments)  # pyright: ignore[reportCallIssue, reportArgumentType] - the service is named at run time
