"""One run of the job: a verified batch in, a version of it in the archive out.

Order of effects: the tables' files, then the `batches` file that announces them, then `_RUN.json`, then the catalog.
A run that dies in between is repeated: what is there stays, what is missing is added, and the announcement comes last.
"""

import json
import logging
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from glue_scripts import archive_tables, catalog, films, history, reading
from glue_scripts.archive_tables import Statistics, Version, file_count
from glue_scripts.arguments import Arguments, read_arguments
from glue_scripts.batch import VerifiedBatch, load_batch
from glue_scripts.hadoop import Hadoop
from glue_scripts.hashing import unix_microseconds
from glue_scripts.identity import transform_id
from glue_scripts.job_errors import InputMismatchError, ReconciliationError
from glue_scripts.reporting import Reporter, open_reporter
from glue_scripts.s3 import Client, Location, aws_client, list_sizes, read_json
from glue_scripts.spark_types import spark_type
from glue_scripts.staging import PublishedFile, Staging
from movie_platform.contracts import tables
from movie_platform.contracts.locations import archive_prefix, run_key, run_prefix, version_name

_RUN_FORMAT_VERSION = 1
# Repeated keys up to this number are told to the parser and to Spark one by one; more are joined.
_FEW_KEYS = 10_000
_TABLES_AT_ONCE = 3

# What the rows of a file depend on must not depend on how a cluster is configured.
_SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.writeLegacyFormat": "false",
    "spark.sql.caseSensitive": "false",
    # What a Python worker holds at a time: rows may be as long as a bundle allows.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",
    # Spark describes each plan to its listeners in words, expression by expression; here that takes seconds a run.
    "spark.sql.debug.maxToStringFields": "1",
}


@dataclass(frozen=True, slots=True)
class Clients:
    """boto3's clients of S3 and of the Glue Data Catalog that a run uses."""

    s3: Client
    glue: Client


def main(entry_script: Path) -> None:
    """Runs the job with the arguments of the command line; an error ends the process, and so the job run, with it."""
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("py4j").setLevel(logging.WARNING)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    with open_reporter() as reporter:
        arguments = read_arguments(sys.argv)
        clients = Clients(aws_client("s3"), aws_client("glue"))
        run(arguments, clients, entry_script, reporter, start_spark)


def start_spark() -> SparkSession:
    """The session of this process. Master and file systems are the platform's to configure."""
    builder: Any = SparkSession.builder
    spark: SparkSession = builder.getOrCreate()
    for name, value in _SESSION_SETTINGS.items():
        spark.conf.set(name, value)
    return spark


def run(
    arguments: Arguments,
    clients: Clients,
    entry_script: Path,
    reporter: Reporter,
    spark: Callable[[], SparkSession],
) -> dict[str, Any]:
    """Transforms the batch unless its newest version is this transform's; returns the run's record (`_RUN.json`)."""
    began = datetime.now(UTC)
    batch = load_batch(clients.s3, Location.parse(arguments.verified_uri))
    options: dict[str, object] = {"write_csv": arguments.write_csv}
    version = Version(batch.source, batch.dt, batch.batch_id, transform_id(entry_script, options))
    name = version_name(version.batch_id, version.transform_id)
    existing = _existing_files(clients.s3, arguments.output_bucket, version, name)
    records = _records(clients.s3, arguments.output_bucket, batch)
    decision = history.decide(records, version.transform_id, existing, began)
    if isinstance(decision, history.Unchanged):
        reporter.info(f"Version {name} is the newest of its batch and whole: nothing to write.")
        record = {**decision.record, "unchanged": True}
    else:
        reporter.info(
            f"Transforming {batch.row_count} rows of {batch.source} {batch.dt}, batch {batch.batch_id}, to {name}."
        )
        transform = _Transform(arguments, batch, version, decision, existing, options, reporter, spark())
        record = transform.run()
    if arguments.catalog_database:
        catalog.add_partitions(
            clients.glue,
            arguments.catalog_database,
            arguments.output_bucket,
            (batch.source, batch.dt.isoformat(), name),
            catalog.partition_prefixes(batch.source, batch.dt, name),
        )
    reporter.finished(record)
    return record


def _existing_files(client: Client, bucket: str, version: Version, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in tables.ARCHIVE_TABLES:
        found |= list_sizes(client, bucket, archive_prefix(table.name, version.source, version.dt, name))
    return found


def _records(client: Client, bucket: str, batch: VerifiedBatch) -> list[history.Record]:
    keys = list_sizes(client, bucket, run_prefix(batch.source, batch.dt, batch.batch_id))
    found = (read_json(client, Location(bucket, key)) for key in keys if key.endswith("/_RUN.json"))
    return [record for record in found if record is not None]


class _Transform:
    """The work of one run that has something to write."""

    def __init__(
        self,
        arguments: Arguments,
        batch: VerifiedBatch,
        version: Version,
        decision: history.Write,
        existing: Mapping[str, int],
        options: dict[str, object],
        reporter: Reporter,
        spark: SparkSession,
    ) -> None:
        self._arguments = arguments
        self._batch = batch
        self._version = version
        self._decision = decision
        self._existing = existing
        self._options = options
        self._reporter = reporter
        self._spark = spark
        self._hadoop = Hadoop(spark)
        self._name = version_name(version.batch_id, version.transform_id)
        run = arguments.job_run_id or uuid.uuid4().hex
        self._staging = Staging(self._hadoop, arguments.output_bucket, self._name, run)

    def run(self) -> dict[str, Any]:
        started = time.monotonic()
        reading.check_parquet_files(self._hadoop, self._batch)
        with ExitStack() as cleanup:
            cleanup.callback(self._staging.remove)
            judged = self._judged()
            counts = archive_tables.statistics(judged)
            rejected = reading.rejected_rows(self._spark, self._batch)
            by_rule = quarantined_by_rule(counts, _count_rejected(rejected))
            quarantined = sum(by_rule.values())
            reconcile(self._batch, counts, quarantined)
            self._reporter.info(
                f"{counts.table_rows['movies']} films, {quarantined} rows quarantined, "
                f"{counts.by_verdict.get(films.EXACT_DUPLICATE, 0)} exact duplicates removed."
            )
            expected = {**counts.table_rows, "quarantined_rows": quarantined}
            written = self._write_tables(judged, rejected, expected)
            keyless = counts.keyless + self._batch.rejected_count
            written[tables.BATCHES.name] = self._announce(counts, expected, written, keyless)
            record = self._record(counts, by_rule, written, time.monotonic() - started)
            self._staging.write_text(
                run_key(
                    self._version.source,
                    self._version.dt,
                    self._version.batch_id,
                    self._version.transform_id,
                ),
                json.dumps(record, indent=2, sort_keys=True),
            )
        return record

    def _judged(self) -> DataFrame:
        """The judged films, computed once and read from the staging folder from then on.

        Kept by Spark itself, they would stay part of the plan of every table, and could be lost and computed again.
        """
        raw = reading.raw_rows(self._spark, self._batch)
        found = [row["movie_id"] for row in films.repeated_keys(raw).limit(_FEW_KEYS + 1).collect()]
        keys = found if len(found) <= _FEW_KEYS else None
        parsed = self._staging.kept("parsed", films.parse(raw, keys))
        if not found:
            return parsed
        single, repeated = films.split_repeated(parsed, keys)
        return single.unionByName(self._staging.kept("settled", films.settle_duplicates(repeated)))

    def _write_tables(
        self, judged: DataFrame, rejected: DataFrame | None, expected: Mapping[str, int]
    ) -> dict[str, dict[str, list[PublishedFile]]]:
        def rows(table: str) -> DataFrame:
            files = file_count(expected[table])
            if table == tables.QUARANTINED_ROWS.name:
                return archive_tables.quarantined_rows(judged, rejected, self._version, files)
            make = {
                tables.MOVIES.name: archive_tables.movies,
                tables.MOVIE_RATINGS.name: archive_tables.movie_ratings,
                tables.MOVIE_GENRES.name: archive_tables.movie_genres,
                tables.MOVIE_PEOPLE.name: archive_tables.movie_people,
            }[table]
            return make(judged, self._version, files)

        def write(table: str) -> dict[str, list[PublishedFile]]:
            return self._write(table, rows(table), expected[table]) if expected[table] else {"parquet": []}

        names = [table.name for table in tables.ANNOUNCED_TABLES]
        # The tables' last tasks leave cores idle; other tables' tasks fill them.
        with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
            return dict(zip(names, pool.map(write, names), strict=True))

    def _write(self, table: str, rows: DataFrame, expected: int) -> dict[str, list[PublishedFile]]:
        staged = self._staging.write_parquet(table, rows)
        written = sum(file.rows or 0 for file in staged)
        if written != expected:
            raise ReconciliationError(
                f"Table {table} has {written} rows on disk, {expected} were counted: rows got lost in writing. "
                "Nothing was announced; start the job again, and report it if it happens twice."
            )
        source, dt = self._version.source, self._version.dt
        files = {
            "parquet": self._staging.publish(table, source, dt, staged, self._existing, extension="parquet")
        }
        if self._arguments.write_csv:
            parts = frozenset(file.part for file in staged)
            staged_csv = self._staging.write_csv(table, rows, parts)
            files["csv"] = self._staging.publish(
                table, source, dt, staged_csv, self._existing, extension="csv"
            )
        return files

    def _announce(
        self,
        counts: Statistics,
        expected: Mapping[str, int],
        written: Mapping[str, Mapping[str, list[PublishedFile]]],
        keyless: int,
    ) -> dict[str, list[PublishedFile]]:
        values: dict[str, object] = {
            "announcement": self._decision.announcement,
            "transformed_at": self._decision.transformed_at,
            "load_type": self._batch.load_type,
            "extracted_at": self._batch.extracted_at,
            "content_id": self._batch.content_id,
            "rows_in": self._batch.row_count + self._batch.rejected_count,
            "exact_duplicates": counts.by_verdict.get(films.EXACT_DUPLICATE, 0),
            "keyless_quarantined_rows": keyless,
        }
        for table in tables.ANNOUNCED_TABLES:
            values[f"{table.name}_rows"] = expected[table.name]
            values[f"{table.name}_files"] = len(written[table.name]["parquet"])
        columns = tables.BATCHES.columns[len(films.VERSION_COLUMNS) :]
        row = self._spark.range(1, numPartitions=1).select(
            *self._version.columns(), *(_constant(column, values[column.name]) for column in columns)
        )
        (staged,) = self._staging.write_parquet(tables.BATCHES.name, row)
        numbered = [type(staged)(staged.uri, self._decision.announcement, staged.rows, staged.bytes)]
        source, dt = self._version.source, self._version.dt
        return {
            "parquet": self._staging.publish(
                tables.BATCHES.name, source, dt, numbered, self._existing, extension="parquet"
            )
        }

    def _record(
        self,
        counts: Statistics,
        by_rule: Mapping[str, int],
        written: Mapping[str, Mapping[str, list[PublishedFile]]],
        seconds: float,
    ) -> dict[str, Any]:
        batch = self._batch
        return {
            "format_version": _RUN_FORMAT_VERSION,
            "source": batch.source,
            "dt": batch.dt.isoformat(),
            "batch_id": batch.batch_id,
            "transform_id": self._version.transform_id,
            "announcement": self._decision.announcement,
            "job_run_id": self._arguments.job_run_id,
            "transformed_at": self._decision.transformed_at.isoformat(timespec="microseconds"),
            "load_type": batch.load_type,
            "extracted_at": batch.extracted_at.isoformat(),
            "content_id": batch.content_id,
            "counts": {
                "rows_in": batch.row_count + batch.rejected_count,
                "rejected": batch.rejected_count,
                "movies": counts.table_rows["movies"],
                "quarantined_by_rule": dict(by_rule),
                "quarantined": sum(by_rule.values()),
                "exact_duplicates": counts.by_verdict.get(films.EXACT_DUPLICATE, 0),
            },
            "nulled": counts.nulled,
            "tables": {table: _table_record(files) for table, files in written.items()},
            "options": self._options,
            "seconds": round(seconds, 3),
            "unchanged": False,
        }


def quarantined_by_rule(counts: Statistics, rejected: Mapping[str, int]) -> dict[str, int]:
    """Quarantined rows by code: those that broke a rule and those that the reader rejected."""
    broken = {code: rows for code, rows in counts.by_verdict.items() if code != films.EXACT_DUPLICATE}
    return dict(sorted((Counter(broken) + Counter(rejected)).items()))


def reconcile(batch: VerifiedBatch, counts: Statistics, quarantined: int) -> None:
    """Raises unless every row that the manifest names is a film, quarantined, or an exact duplicate."""
    where = f"batch {batch.batch_id} of {batch.source} {batch.dt}"
    if counts.rows != batch.row_count:
        raise InputMismatchError(
            f"The {batch.data_format} files of {where} hold {counts.rows} rows, the manifest says "
            f"{batch.row_count}. Have the producer send the bundle again; nothing was written."
        )
    duplicates = counts.by_verdict.get(films.EXACT_DUPLICATE, 0)
    rows_in = batch.row_count + batch.rejected_count
    rows_out = counts.table_rows["movies"] + quarantined + duplicates
    if rows_in != rows_out:
        raise ReconciliationError(
            f"Of the {rows_in} rows of {where}, {counts.table_rows['movies']} became films, {quarantined} were "
            f"quarantined and {duplicates} were exact duplicates: {rows_out} in all. Nothing was written; a "
            "rejected file that does not hold what the manifest says, or an error of this job, is the cause."
        )


def _count_rejected(rejected: DataFrame | None) -> dict[str, int]:
    if rejected is None:
        return {}
    code = fn.coalesce("code", fn.lit(archive_tables.UNNAMED_REJECTION))
    return {row["code"]: int(row["count"]) for row in rejected.groupBy(code.alias("code")).count().collect()}


def _constant(column: tables.Column, value: object) -> Any:
    literal = (
        fn.timestamp_micros(fn.lit(unix_microseconds(value)))
        if isinstance(value, datetime)
        else fn.lit(value)
    )
    return literal.cast(spark_type(column.type)).alias(column.name)


def _table_record(files: Mapping[str, list[PublishedFile]]) -> dict[str, Any]:
    parquet = files["parquet"]
    record: dict[str, Any] = {
        "rows": sum(file.rows or 0 for file in parquet),
        "files": [{"key": file.key, "rows": file.rows, "bytes": file.bytes} for file in parquet],
    }
    if "csv" in files:
        record["csv_files"] = [{"key": file.key, "bytes": file.bytes} for file in files["csv"]]
    return record
