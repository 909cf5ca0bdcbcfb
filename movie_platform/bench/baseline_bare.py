"""The bare tools: each stage's bulk work with the fastest plain tool for it, and nothing around it.

No verification, no hashes, no manifest, no quarantine, no S3 and no servers: what is left is about the least time that
the work can take on this machine.
"""

import importlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adbc_driver_sqlite.dbapi
import duckdb
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from isal import isal_zlib

from movie_platform.bench import bare_transform
from movie_platform.bench.database import TABLE
from movie_platform.bench.usage import Usage, watched
from movie_platform.errors import PlatformError
from movie_platform.local_cloud.glue import spark

if TYPE_CHECKING:
    import pyarrow as pa

# As many as the platform's reader takes at a time.
_BATCH_ROWS = 10_000
_TRANSFORM_SECONDS = 7200
_CHUNK_BYTES = 1 << 20
_COMPRESSED = frozenset({".parquet"})


def extract(database: Path, folder: Path) -> int:
    """ADBC to CSV and Parquet through pyarrow's writers; the rows."""
    rows = 0
    with (
        adbc_driver_sqlite.dbapi.connect(f"file:{database}?mode=ro") as connection,
        connection.cursor() as cursor,
    ):
        options: Any = {"adbc.sqlite.query.batch_rows": str(_BATCH_ROWS)}
        cursor.adbc_statement.set_options(**options)
        cursor.execute(f"SELECT * FROM {TABLE}")  # noqa: S608 - a constant
        reader: pa.RecordBatchReader = cursor.fetch_record_batch()
        with (
            pacsv.CSVWriter(folder / "films.csv", reader.schema) as csv_file,
            pq.ParquetWriter(folder / "films.parquet", reader.schema, compression="zstd") as parquet_file,
        ):
            for batch in reader:
                csv_file.write_batch(batch)
                parquet_file.write_batch(batch)
                rows += batch.num_rows
    return rows


def zip_files(folder: Path, target: Path) -> int:
    """The files of an extract as one ZIP, by zipfile with isal in zlib's place; its bytes. CSV is deflated."""
    fast_zipfile = _zipfile_with_isal()
    with fast_zipfile.ZipFile(target, "w", compresslevel=1) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            method = zipfile.ZIP_STORED if path.suffix in _COMPRESSED else zipfile.ZIP_DEFLATED
            archive.write(path, str(path.relative_to(folder)), compress_type=method)
    return target.stat().st_size


def unzip_files(source: Path, folder: Path) -> int:
    """The entries of a ZIP as files, by zipfile with isal in zlib's place; their number."""
    fast_zipfile = _zipfile_with_isal()
    with fast_zipfile.ZipFile(source) as archive:
        archive.extractall(folder)
        return len(archive.namelist())


def _zipfile_with_isal() -> Any:
    """The module zipfile as it is when isal stands in zlib's place. For processes that do nothing else."""
    sys.modules["zlib"] = isal_zlib
    return importlib.reload(zipfile)


def transform(parquet_folder: Path, target: Path, working: Path) -> Usage:
    """A minimal Spark script on the same Spark with the same cores and memory; the time includes Spark's start."""
    working.mkdir()
    settings = spark.properties(lake=working, class_path=working, working=working, mounts={}, options={})
    # Files are read where they lie, by Hadoop's own class.
    del settings["spark.hadoop.fs.file.impl"]
    configuration = working / "conf"
    spark.write_configuration(configuration, settings)
    command = [sys.executable, bare_transform.__file__, str(parquet_folder), str(target)]
    log = working / "spark.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, env=spark.environment(configuration, working), stdout=output, stderr=output, cwd=working
        )
        with watched(child.pid, "family") as usage:
            try:
                code = child.wait(_TRANSFORM_SECONDS)
            finally:
                child.kill()
    if code != 0:
        tail = log.read_text("utf-8", "replace")[-2000:]
        raise PlatformError("bare_transform_failed", f"the minimal Spark script ended with {code}:\n{tail}")
    return usage()


def load(files: Mapping[str, Sequence[Path]], database: Path) -> int:
    """The archive's Parquet files as tables of a DuckDB file; the rows."""
    rows = 0
    with duckdb.connect(str(database)) as connection:
        for table, paths in files.items():
            source = connection.read_parquet([str(path) for path in paths])
            source.create(table)
            rows += len(connection.table(table))
    return rows
