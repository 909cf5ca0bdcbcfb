"""Airflow's environment in these tests, and the local cloud as an Airflow deployment sees it.

Importing it sets the environment up, so that it comes before Airflow's own import.
"""

import json
import os
import subprocess
import tempfile
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "deploy" / "airflow" / "dags"
COMMAND = os.environ.get("MOVIE_PLATFORM_COMMAND") or str(ROOT / ".venv" / "bin" / "movie-platform")
TOPIC = "arn:aws:sns:us-east-1:000000000000:movie-platform-alerts"
QUEUE = "http://127.0.0.1:9/000000000000/movie-platform-arrivals"

# A developer's Airflow, accounts and settings must neither reach a test nor be reached by one.
for name in [
    name for name in os.environ if name.startswith(("AIRFLOW", "AWS_", "MOVIE_PLATFORM_", "SNOWFLAKE_"))
]:
    del os.environ[name]
HOME = Path(tempfile.mkdtemp(prefix="movie-platform-airflow-"))
os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # The first file brings Airflow's own imports with it, which take long on a machine at work.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        # What the files read when they are parsed; whole runs set the rest.
        "AIRFLOW_VAR_MOVIE_PLATFORM": json.dumps({"alert_topic_arn": TOPIC, "arrivals_queue_url": QUEUE}),
    }
)


class Cloud:
    """The local cloud as an Airflow deployment sees it: by the command and by its endpoints."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs movie-platform on this home."""
        done = subprocess.run(
            [COMMAND, "--home", str(self.home), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        if check and done.returncode != 0:
            raise AssertionError(f"movie-platform {' '.join(arguments)}: {done.stdout}\n{done.stderr}")
        return done

    @cached_property
    def endpoints(self) -> dict[str, str]:
        """Endpoint of each service."""
        status = json.loads(self.command("cloud", "status", "--json").stdout)
        return {name: service["endpoint"] for name, service in status["services"].items()}

    def client(self, service: str) -> Any:
        """A boto3 client."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoints["glue" if service == "glue" else "aws"],
            region_name="us-east-1",
            aws_access_key_id="000000000000",
            aws_secret_access_key="local",
        )

    def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a statement on the warehouse, by lower-case column name; it may read and no more."""
        return self._sql(
            statement, values, "MOVIE_PLATFORM", "snowflake_key.p8", "MOVIES_ANALYST", "MOVIES_WH_READERS"
        )

    def change(self, statement: str, *values: Any) -> None:
        """Runs a statement as the owner of what the warehouse holds."""
        self._sql(
            statement,
            values,
            "MOVIE_PLATFORM_DEPLOYER",
            "snowflake_deployer_key.p8",
            "MOVIES_DEPLOYER",
            "MOVIES_WH",
        )

    def _sql(
        self, statement: str, values: tuple[Any, ...], user: str, key: str, role: str, warehouse: str
    ) -> list[dict[str, Any]]:
        import snowflake.connector

        host, port = self.endpoints["snowflake"].removeprefix("http://").split(":")
        with (
            closing(
                snowflake.connector.connect(
                    account="local",
                    user=user,
                    private_key_file=str(self.home / key),
                    database="MOVIES",
                    warehouse=warehouse,
                    role=role,
                    host=host,
                    port=int(port),
                    protocol="http",
                )
            ) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute(statement, values or None)
            names = [column.name.lower() for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def messages(self, queue: str) -> list[str]:
        """Takes all messages off a queue."""
        sqs = self.client("sqs")
        url = f"{self.endpoints['aws']}/000000000000/movie-platform-{queue}"
        bodies: list[str] = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that were sent since they were last asked for."""
        return [json.loads(body) for body in self.messages("alerts")]

    @cached_property
    def variable(self) -> dict[str, str]:
        """The Airflow Variable that the export writes for this cloud."""
        file = self.home / "variables.json"
        self.command("export", "airflow", "--out", str(self.home / "dags"), "--variables", str(file))
        return {**json.loads(file.read_text("utf-8"))["movie_platform"], "command": COMMAND}

    def airflow_environment(self) -> dict[str, str]:
        """Connections and the Variable, as the README says that a deployment sets them."""
        host, port = self.endpoints["snowflake"].removeprefix("http://").split(":")
        aws = {
            "conn_type": "aws",
            "login": "000000000000",
            "password": "local",
            "extra": {
                "region_name": "us-east-1",
                "endpoint_url": self.endpoints["aws"],
                "service_config": {"glue": {"endpoint_url": self.endpoints["glue"]}},
            },
        }
        snowflake = {
            "conn_type": "snowflake",
            "login": "MOVIE_PLATFORM",
            "extra": {
                "account": "local",
                "database": "MOVIES",
                "warehouse": "MOVIES_WH",
                "private_key_file": str(self.home / "snowflake_key.p8"),
                "host": host,
                "port": int(port),
                "protocol": "http",
            },
        }
        return {
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws),
            "AIRFLOW_CONN_SNOWFLAKE_DEFAULT": json.dumps(snowflake),
            "AIRFLOW_VAR_MOVIE_PLATFORM": json.dumps(self.variable),
            "MOVIE_PLATFORM_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
        }
