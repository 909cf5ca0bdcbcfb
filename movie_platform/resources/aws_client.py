"""How boto3 clients are made: endpoint, credentials, timeouts and retries. No Dagster here.

A client is made once a process for each combination of service and options; boto3's clients may be shared by
threads.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from movie_platform.settings import Settings

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 60
ATTEMPTS = 5
# AWS ends every invocation after 900 s; a client that gives up earlier would invoke the function a second
# time.
LAMBDA_READ_TIMEOUT_SECONDS = 910
MAX_CONNECTIONS = 16

# boto3's sessions, unlike its clients, may not be used by two threads at once.
_SESSION_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """Where AWS is and who asks. What is None is found by boto3's own chain (environment, profile, role)."""

    region: str
    profile: str | None = None
    endpoint_url: str | None = None
    glue_endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: "Settings") -> "AwsAccess":
        """The access that the settings describe; the secret key in clear."""
        secret = settings.aws_secret_access_key
        return cls(
            region=settings.aws_region,
            profile=settings.aws_profile,
            endpoint_url=settings.aws_endpoint_url,
            glue_endpoint_url=settings.aws_glue_endpoint_url,
            access_key_id=settings.aws_access_key_id,
            secret_access_key=None if secret is None else secret.get_secret_value(),
        )

    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    @overload
    def client(self, service: Literal["sns"]) -> "SNSClient": ...
    @overload
    def client(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["glue"]) -> "GlueClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: str) -> Any: ...

    def client(self, service: str) -> Any:
        """The process's boto3 client of a service.

        Requests are retried five times with exponential back-off and jitter, but for `lambda`: an invocation
        is sent once and waited for as long as a function may run.
        """
        return _client(self, service)


@overload
def aws_client(settings: "Settings", service: Literal["s3"]) -> "S3Client": ...
@overload
def aws_client(settings: "Settings", service: Literal["sqs"]) -> "SQSClient": ...
@overload
def aws_client(settings: "Settings", service: Literal["sns"]) -> "SNSClient": ...
@overload
def aws_client(settings: "Settings", service: Literal["lambda"]) -> "LambdaClient": ...
@overload
def aws_client(settings: "Settings", service: Literal["glue"]) -> "GlueClient": ...
@overload
def aws_client(settings: "Settings", service: Literal["logs"]) -> "CloudWatchLogsClient": ...
@overload
def aws_client(settings: "Settings", service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def aws_client(settings: "Settings", service: Literal["cloudformation"]) -> "CloudFormationClient": ...
@overload
def aws_client(settings: "Settings", service: str) -> Any: ...


def aws_client(settings: "Settings", service: str) -> Any:
    """The boto3 client of a service for these settings; see `AwsAccess.client`."""
    return AwsAccess.of(settings).client(service)


@lru_cache(maxsize=64)
def _client(access: AwsAccess, service: str) -> Any:
    # Not at the top, nor boto3: the definitions load this module, and must load quickly.
    from botocore.config import Config

    is_lambda = service == "lambda"
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=LAMBDA_READ_TIMEOUT_SECONDS if is_lambda else READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1 if is_lambda else ATTEMPTS},
        max_pool_connections=MAX_CONNECTIONS,
        tcp_keepalive=True,
    )
    endpoint = access.glue_endpoint_url if service == "glue" else None
    with _SESSION_LOCK:
        # The stubs have an overload for each service's name and none for a name that is known at run time
        # only.
        make: Callable[..., Any] = _session(access).client
        return make(service, endpoint_url=endpoint or access.endpoint_url, config=config)


@lru_cache(maxsize=8)
def _session(access: AwsAccess) -> "boto3.Session":
    import boto3

    return boto3.Session(
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=access.secret_access_key,
        region_name=access.region,
        profile_name=access.profile,
    )
