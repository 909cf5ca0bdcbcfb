"""The Dagster resource of AWS; `aws_client` makes the clients and does not import Dagster."""

from typing import TYPE_CHECKING, Any, Literal, overload

import dagster as dg
from pydantic import Field

from movie_platform.resources.aws_client import AwsAccess, aws_client
from movie_platform.resources.secrets import secret_config
from movie_platform.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

__all__ = ["AwsResource", "aws_client"]


class AwsResource(dg.ConfigurableResource):
    """AWS as the settings describe it: `aws.client("s3")` is a boto3 client, made once a process.

    Credentials that are not configured are found by boto3's own chain (environment, profile, instance role).
    """

    region: str = Field(description="AWS region.")
    profile: str | None = Field(default=None, description="Named profile of boto3.")
    endpoint_url: str | None = Field(default=None, description="Endpoint of all services but Glue.")
    glue_endpoint_url: str | None = Field(default=None, description="Endpoint of Glue.")
    access_key_id: str | None = Field(default=None, description="Only where boto3 finds no credentials.")
    secret_access_key: str | None = Field(
        default=None,
        description="Belongs to access_key_id.",
        json_schema_extra={"dagster__is_secret": True},
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> "AwsResource":
        """The resource for these settings; secrets of environment variables are passed by name."""
        return cls(
            region=settings.aws_region,
            profile=settings.aws_profile,
            endpoint_url=settings.aws_endpoint_url,
            glue_endpoint_url=settings.aws_glue_endpoint_url,
            access_key_id=settings.aws_access_key_id,
            secret_access_key=secret_config(settings, "aws_secret_access_key"),
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
    def client(self, service: str) -> Any: ...

    def client(self, service: str) -> Any:
        """The process's boto3 client of a service; see `AwsAccess.client` for timeouts and retries."""
        return AwsAccess(
            region=self.region,
            profile=self.profile,
            endpoint_url=self.endpoint_url,
            glue_endpoint_url=self.glue_endpoint_url,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
        ).client(service)
