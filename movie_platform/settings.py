"""The platform's settings: the only module that reads the environment.

Every field can be set by an environment variable `MOVIE_PLATFORM_<FIELD>`. With `environment = local` (the default)
what is not set there comes from the file that a running local cloud keeps in its home (`cloud.json`); with
`environment = aws` boto3 and the Snowflake connector find endpoints and credentials in their own ways. No other
module asks which of the two it is.
"""

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ENV_PREFIX = "MOVIE_PLATFORM_"
DEFAULT_HOME = Path(".movie_platform")
CLOUD_FILE = "cloud.json"
LOCAL_ACCOUNT = "000000000000"


# Without these a local platform whose cloud was never started would talk to whatever account boto3 finds.
_NO_LOCAL_CLOUD = {
    "aws_endpoint_url": "http://127.0.0.1:4566",
    "aws_glue_endpoint_url": "http://127.0.0.1:4566",
    "aws_access_key_id": LOCAL_ACCOUNT,
    "aws_secret_access_key": "local",
    "snowflake_host": "127.0.0.1",
    "snowflake_port": 4567,
    "snowflake_protocol": "http",
}


class _LocalCloudSource(PydanticBaseSettingsSource):
    """Values that a local cloud published in its home; loopback addresses where none was started; empty for `aws`."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """One field's value; the parent asks for this method, though `__call__` gives all values at once."""
        values = self()
        return values.get(field_name), field_name, field.annotation not in {str, int}

    def __call__(self) -> dict[str, Any]:
        if self.current_state.get("environment", "local") != "local":
            return {}
        path = Path(self.current_state.get("home", DEFAULT_HOME)) / CLOUD_FILE
        try:
            text = path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return dict(_NO_LOCAL_CLOUD)
        return dict(json.loads(text)["settings"])


class Settings(BaseSettings):
    """Where the platform reads, writes and computes. Immutable; secrets never appear in its representation."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    environment: Literal["local", "aws"] = Field(
        default="local", description="Which cloud the endpoints belong to."
    )
    home: Path = Field(default=DEFAULT_HOME, description="Folder of everything that a local platform keeps.")
    name_prefix: str = Field(
        default="movie-platform",
        pattern=r"[a-z][a-z0-9-]{2,30}",
        description="First part of the names of all cloud resources.",
    )
    first_date: date = Field(default=date(2026, 11, 1), description="First partition.")
    default_profile: str = Field(
        default="demo", description="Profile of scheduled extracts and of runs that name none."
    )
    extract_location: str | None = Field(
        default=None, description="Folder or s3:// URI of raw extracts; by default a folder in home."
    )
    owner: str = Field(
        default="team:data-platform", description="Owner that assets, schedules and alerts name."
    )

    aws_region: str = Field(default="us-east-1", description="AWS region.")
    aws_account_id: str = Field(
        default=LOCAL_ACCOUNT,
        pattern=r"[0-9]{12}",
        description="AWS account, part of ARNs and, in aws, of bucket names.",
    )
    aws_profile: str | None = Field(default=None, description="Named profile of boto3, where one is used.")
    aws_endpoint_url: str | None = Field(
        default=None, description="Endpoint of all AWS services but Glue; None: AWS itself."
    )
    aws_glue_endpoint_url: str | None = Field(default=None, description="Endpoint of Glue; None: AWS itself.")
    aws_access_key_id: str | None = Field(
        default=None, description="Only where boto3 has no credentials of its own."
    )
    aws_secret_access_key: SecretStr | None = Field(default=None, description="Belongs to aws_access_key_id.")

    snowflake_account: str = Field(default="local", description="Snowflake account identifier.")
    snowflake_user: str = Field(default="MOVIE_PLATFORM", description="Snowflake user of the orchestrator.")
    snowflake_private_key_path: Path | None = Field(
        default=None, description="PEM file of that user's private key."
    )
    snowflake_private_key_passphrase: SecretStr | None = Field(
        default=None, description="Passphrase of that file."
    )
    snowflake_role: str | None = Field(
        default=None, description="Role with which the pipeline loads; by default the database's loader."
    )
    snowflake_deployer_user: str = Field(
        default="MOVIE_PLATFORM_DEPLOYER", description="Snowflake user of `provision`."
    )
    snowflake_deployer_private_key_path: Path | None = Field(
        default=None, description="PEM file of the deployer's private key."
    )
    snowflake_deployer_private_key_passphrase: SecretStr | None = Field(
        default=None, description="Passphrase of that file."
    )
    snowflake_reader_user: str = Field(
        default="MOVIE_PLATFORM_READER", description="Snowflake user of tools that read the marts."
    )
    snowflake_reader_public_key_path: Path | None = Field(
        default=None, description="PEM file of the reader's key, public or private without a passphrase."
    )
    snowflake_admin_user: str | None = Field(
        default=None,
        description="Snowflake user for what belongs to the account; None: somebody else does that by hand.",
    )
    snowflake_admin_private_key_path: Path | None = Field(
        default=None, description="PEM file of the administrator's private key."
    )
    snowflake_admin_private_key_passphrase: SecretStr | None = Field(
        default=None, description="Passphrase of that file."
    )
    snowflake_admin_role: str = Field(
        default="ACCOUNTADMIN", description="Role of the administrator, for what belongs to the account."
    )
    snowflake_warehouse: str = Field(default="MOVIES_WH", description="Virtual warehouse.")
    snowflake_database: str = Field(
        default="MOVIES", pattern=r"[A-Z][A-Z0-9_]{0,62}", description="Database."
    )
    snowflake_host: str | None = Field(default=None, description="Host; None: derived from the account.")
    snowflake_port: int | None = Field(default=None, description="Port; None: 443.")
    snowflake_protocol: Literal["http", "https"] = Field(
        default="https", description="Protocol of the connector."
    )
    snowflake_network_timeout: int = Field(
        default=120, gt=0, description="Seconds until the connector gives a request up."
    )

    glue_job_timeout_minutes: int = Field(default=60, gt=0, description="Deadline of a transform run.")
    extract_cron: str = Field(default="0 3 * * *", description="When the daily extract runs, UTC.")
    arrival_interval_seconds: int = Field(
        default=10, ge=1, description="Pause between two looks for bundles that landed."
    )
    freshness_warn: timedelta = Field(
        default=timedelta(hours=26),
        description="Age of the newest load of a RAW table, or look at a mart, at which the UI warns.",
    )
    freshness_fail: timedelta = Field(
        default=timedelta(hours=36),
        description="Age at which the service level is missed and an alert is sent.",
    )
    load_refresh_after_seconds: int = Field(
        default=60, gt=0, description="When a RAW asset asks for files that no event has brought yet."
    )
    load_timeout_seconds: int = Field(
        default=900, gt=0, description="How long a RAW asset waits for its files to load."
    )
    core_timeout_seconds: int = Field(
        default=900, gt=0, description="How long the CORE assets wait for the task graph."
    )

    @field_validator(
        "home",
        "snowflake_private_key_path",
        "snowflake_deployer_private_key_path",
        "snowflake_reader_public_key_path",
        "snowflake_admin_private_key_path",
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the parent's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the parent's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments come first, then the environment, then what a local cloud published; no files besides."""
        return init_settings, env_settings, _LocalCloudSource(settings_cls)

    @staticmethod
    def environment_variable(field: str) -> str | None:
        """Name of the environment variable that sets a field of this process's settings; None where none does."""
        wanted = f"{ENV_PREFIX}{field}".upper()
        return next((name for name in os.environ if name.upper() == wanted), None)

    def bucket(self, role: Literal["landing", "processed", "archive", "artifacts"]) -> str:
        """Name of a bucket; with the account and region in it, because bucket names are shared by all of AWS."""
        return f"{self.name_prefix}-{role}-{self.aws_account_id}-{self.aws_region}"

    def topic_arn(self, role: Literal["landing", "alerts"]) -> str:
        """ARN of an SNS topic."""
        return f"arn:aws:sns:{self.aws_region}:{self.aws_account_id}:{self.name_prefix}-{role}"

    def queue_name(self, role: Literal["arrivals", "alerts"]) -> str:
        """Name of an SQS queue: `arrivals` is read by the sensor, `alerts` keeps what the alert topic sent."""
        return f"{self.name_prefix}-{role}"

    @property
    def snowflake_transformer_role(self) -> str:
        """Name of the role that owns the task graph, keeps CORE and reads what is made of it."""
        return f"{self.snowflake_database}_TRANSFORMER"

    @property
    def snowflake_loader_role(self) -> str:
        """Name of the role that owns the pipes, loads RAW and looks at what was loaded."""
        return f"{self.snowflake_database}_LOADER"

    @property
    def snowflake_owner_role(self) -> str:
        """Name of the role that owns the database, its schemas, tables, streams and the stage."""
        return f"{self.snowflake_database}_OWNER"

    @property
    def snowflake_deployer_role(self) -> str:
        """Name of the role that holds those that own, load and transform."""
        return f"{self.snowflake_database}_DEPLOYER"

    @property
    def snowflake_analyst_role(self) -> str:
        """Name of the role that may read all schemas."""
        return f"{self.snowflake_database}_ANALYST"

    @property
    def snowflake_readers_warehouse(self) -> str:
        """Name of the virtual warehouse of people who read."""
        return f"{self.snowflake_warehouse}_READERS"

    @property
    def stack_name(self) -> str:
        """Name of the CloudFormation stack."""
        return self.name_prefix

    @property
    def unpack_function_name(self) -> str:
        """Name of the Lambda function that verifies and unpacks bundles."""
        return f"{self.name_prefix}-unpack"

    @property
    def glue_job_name(self) -> str:
        """Name of the Glue job that transforms a verified batch."""
        return f"{self.name_prefix}-transform"

    @property
    def glue_database_name(self) -> str:
        """Name of the database in the Glue Data Catalog."""
        return self.name_prefix.replace("-", "_")

    @property
    def extracts(self) -> str:
        """Folder or s3:// URI under which raw extracts are kept."""
        return self.extract_location or str(self.home / "extracts")


def resolve_environment_secret(name: str) -> SecretStr | None:
    """The secret that a source profile names as `{ env = "NAME" }`; None where the variable is not set or empty."""
    value = os.environ.get(name)
    return SecretStr(value) if value else None
