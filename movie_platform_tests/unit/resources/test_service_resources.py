"""The resources of AWS and Snowflake: cheap to import, bounded in time, and silent about secrets."""

import subprocess
import sys
from typing import Any

import dagster as dg
import pytest

from movie_platform.errors import ConfigurationError
from movie_platform.resources.aws import AwsResource
from movie_platform.resources.aws_client import LAMBDA_READ_TIMEOUT_SECONDS, aws_client
from movie_platform.resources.snowflake import WarehouseResource
from movie_platform.resources.snowflake_connection import WarehouseUnavailableError, connect
from movie_platform.settings import Settings

SECRET = "not-to-be-seen-anywhere"


def settings(**values) -> Settings:
    return Settings(
        **{
            "aws_endpoint_url": "http://127.0.0.1:9",
            "aws_access_key_id": "000000000000",
            "aws_secret_access_key": SECRET,
            "snowflake_private_key_passphrase": SECRET,
            **values,
        }
    )


def test_importing_the_resources_imports_nothing_heavy():
    code = (
        "import sys, movie_platform.resources.aws, movie_platform.resources.snowflake\n"
        "heavy = {'boto3', 'dagster_snowflake', 'dagster_aws', 'snowflake.connector', 'pandas', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_the_plain_functions_do_not_import_dagster():
    code = (
        "import sys, movie_platform.resources.aws_client, movie_platform.resources.snowflake_connection\n"
        "print('dagster' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "False"


def test_a_client_is_made_once_and_bounded_in_time():
    client = aws_client(settings(), "s3")
    assert client is aws_client(settings(), "s3")
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    config: Any = client.meta.config  # botocore sets its attributes at run time
    assert 0 < config.connect_timeout <= 10
    assert 0 < config.read_timeout <= 60
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] > 1


def test_an_invocation_is_sent_once_and_outwaits_the_function():
    client = aws_client(settings(), "lambda")
    config: Any = client.meta.config  # botocore sets its attributes at run time
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout == LAMBDA_READ_TIMEOUT_SECONDS > 900


def test_glue_has_an_endpoint_of_its_own():
    client = aws_client(settings(aws_glue_endpoint_url="http://127.0.0.1:10"), "glue")
    assert client.meta.endpoint_url == "http://127.0.0.1:10"
    plain = aws_client(settings(aws_glue_endpoint_url=None), "glue")
    assert plain.meta.endpoint_url == "http://127.0.0.1:9"


def test_a_secret_of_the_environment_reaches_resources_by_name_only(monkeypatch):
    monkeypatch.setenv("MOVIE_PLATFORM_AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("MOVIE_PLATFORM_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", SECRET)
    aws = AwsResource.from_settings(Settings())
    warehouse = WarehouseResource.from_settings(Settings())
    assert aws.secret_access_key == dg.EnvVar("MOVIE_PLATFORM_AWS_SECRET_ACCESS_KEY")
    assert SECRET not in repr(aws) + repr(warehouse)

    @dg.asset
    def seen(aws: AwsResource, warehouse: WarehouseResource) -> dg.MaterializeResult:
        assert aws.secret_access_key == SECRET
        assert warehouse.access.private_key_passphrase == SECRET
        assert SECRET not in repr(warehouse.access)
        return dg.MaterializeResult()

    assert dg.materialize([seen], resources={"aws": aws, "warehouse": warehouse}).success


def test_a_session_needs_a_private_key(tmp_path):
    with pytest.raises(ConfigurationError, match="private key"):
        connect(settings(snowflake_private_key_path=None))
    with pytest.raises(ConfigurationError, match="is not there"):
        connect(settings(snowflake_private_key_path=tmp_path / "absent.pem"))


def test_dagsters_own_snowflake_resource_gets_the_same_connection(tmp_path):
    resource = WarehouseResource.from_settings(
        settings(
            snowflake_private_key_path=tmp_path / "key.pem",
            snowflake_host="127.0.0.1",
            snowflake_port=9,
            snowflake_protocol="http",
        )
    )
    own = resource.snowflake_resource()
    arguments = own.additional_snowflake_connection_args or {}
    assert (own.account, own.user, own.authenticator) == ("local", "MOVIE_PLATFORM", "SNOWFLAKE_JWT")
    assert (arguments["host"], arguments["port"], arguments["protocol"]) == ("127.0.0.1", 9, "http")
    assert arguments["private_key_file"] == str(tmp_path / "key.pem")


def test_a_warehouse_that_cannot_be_reached_says_where_it_was_sought(tmp_path, monkeypatch):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    from movie_platform.resources import snowflake_connection

    monkeypatch.setattr(snowflake_connection, "LOGIN_TIMEOUT_SECONDS", 2)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "key.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(SECRET.encode()),
        )
    )
    unreachable = settings(
        snowflake_private_key_path=path,
        snowflake_host="127.0.0.1",
        snowflake_port=9,
        snowflake_protocol="http",
        snowflake_network_timeout=2,
    )
    with pytest.raises(WarehouseUnavailableError, match=r"http://127\.0\.0\.1:9") as caught:
        connect(unreachable)
    assert SECRET not in str(caught.value)
