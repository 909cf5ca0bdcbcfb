"""Writing output: Spark writes to a staging folder, then each file is renamed to its final name.

A final name is made of the version and the file's number, and a file that is there is not written again: the loader
never loads a name twice, and the rows of a file follow from the version alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, types
from pyspark.sql import functions as fn

from glue_scripts.hadoop import Hadoop
from glue_scripts.job_errors import OutputError
from movie_platform.contracts.locations import archive_file_name, archive_prefix

_PART = re.compile(r"part-([0-9]{5})-")


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A written file in staging. `rows` is what its footer says; None for CSV."""

    uri: str
    part: int
    rows: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file in its place in the archive. `rows` as in StagedFile."""

    key: str
    rows: int | None
    bytes: int


class Staging:
    """The staging folder of one run, and the way from there to the archive."""

    def __init__(self, hadoop: Hadoop, bucket: str, version: str, run: str) -> None:
        self._hadoop = hadoop
        self._bucket = bucket
        self._version = version
        self._root = f"s3://{bucket}/_staging/{version}/{run}"

    def kept(self, name: str, rows: DataFrame) -> DataFrame:
        """The same rows, written to the staging folder and read from there: what follows does not compute them."""
        folder = f"{self._root}/kept-{name}"
        rows.write.mode("overwrite").parquet(folder, compression="snappy")
        return rows.sparkSession.read.schema(rows.schema).parquet(folder)

    def write_parquet(self, table: str, rows: DataFrame) -> list[StagedFile]:
        """Writes a table, one file a partition. Partitions without rows have no file.

        Points in time become their clock in UTC, without a zone.
        """
        folder = f"{self._root}/{table}"
        writer = _without_zones(rows).write.mode("overwrite").option("maxRecordsPerFile", 0)
        # Hashes never repeat: a dictionary of them is only built to be thrown away.
        for hash_column in ("row_hash", "tracked_hash"):
            writer = writer.option(f"parquet.enable.dictionary#{hash_column}", "false")
        writer.parquet(folder, compression="snappy")
        staged = []
        for file in self._hadoop.list_files(folder):
            if match := _PART.match(file.name):
                count = self._hadoop.parquet_footer(file.uri).rows
                if count:
                    staged.append(StagedFile(file.uri, int(match[1]), count, file.bytes))
        return staged

    def write_csv(self, table: str, rows: DataFrame, parts: frozenset[int]) -> list[StagedFile]:
        """Writes the same partitions as CSV; only the files of `parts`, those that have rows, count."""
        folder = f"{self._root}/{table}-csv"
        rows.write.mode("overwrite").option("maxRecordsPerFile", 0).csv(
            folder,
            header=True,
            quote='"',
            escape='"',
            nullValue="",
            emptyValue="",
            dateFormat="yyyy-MM-dd",
            timestampFormat="yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
            ignoreLeadingWhiteSpace=False,
            ignoreTrailingWhiteSpace=False,
            encoding="UTF-8",
        )
        found = [(file, _PART.match(file.name)) for file in self._hadoop.list_files(folder)]
        return [
            StagedFile(file.uri, int(match[1]), None, file.bytes)
            for file, match in found
            if match and int(match[1]) in parts
        ]

    def publish(
        self,
        table: str,
        source: str,
        dt: date,
        staged: list[StagedFile],
        existing: Mapping[str, int],
        *,
        extension: str,
    ) -> list[PublishedFile]:
        """Gives staged files their final names, but those whose name is taken: these hold the same rows already."""
        published = []
        for file in staged:
            name = archive_file_name(table, self._version, file.part, extension)
            key = f"{archive_prefix(table, source, dt, self._version)}{name}"
            size = existing.get(key)
            if size is None:
                target = f"s3://{self._bucket}/{key}"
                if not self._hadoop.move(file.uri, target):
                    raise OutputError(
                        f"{file.uri} could not be renamed to {target}. Look at the file system's messages above, "
                        "then start the job again: it writes what is missing."
                    )
                size = file.bytes
            published.append(PublishedFile(key, file.rows, size))
        return published

    def write_text(self, key: str, text: str) -> None:
        """Writes a small text file of the archive, replacing what is there."""
        self._hadoop.write(f"s3://{self._bucket}/{key}", text.encode())

    def remove(self) -> None:
        """Deletes the staging folder of this run, with whatever is left in it."""
        self._hadoop.delete(self._root)


def _without_zones(rows: DataFrame) -> DataFrame:
    # In Parquet a TimestampType is "adjusted to UTC", and a warehouse keeps such a moment by its own time zone. The
    # session's time zone, by which the cast reads the clock, is UTC.
    return rows.select(
        *(
            fn.col(field.name).cast(types.TimestampNTZType()).alias(field.name)
            if isinstance(field.dataType, types.TimestampType)
            else fn.col(field.name)
            for field in rows.schema.fields
        )
    )
