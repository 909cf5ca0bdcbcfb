"""Hadoop's FileSystem and Parquet's footers, through the JVM that Spark runs in.

Whatever `s3://` means to Spark (EMRFS on Glue, another file system elsewhere), it means the same here.
"""

import re
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

# Java's methods take their flags by position.
_OVERWRITE = (True,)
_RECURSIVELY = (True,)
_FIELD = re.compile(r"^ {2}(?:optional|required|repeated) (\w+) ([^ ;]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ParquetFooter:
    """What the footer of a Parquet file says: its rows, and the physical type of each column."""

    rows: int
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class FileInFolder:
    """A file: its URI, its name and its bytes."""

    uri: str
    name: str
    bytes: int


class Hadoop:
    """File operations on URIs. Errors of the file system are raised as py4j's Py4JJavaError."""

    def __init__(self, spark: SparkSession) -> None:
        context: Any = spark.sparkContext
        self._jvm = context._jvm  # noqa: SLF001 - PySpark has no public way to Hadoop's classes
        self._configuration = context._jsc.hadoopConfiguration()  # noqa: SLF001 - as above

    def parquet_footer(self, uri: str) -> ParquetFooter:
        """Rows and columns of a Parquet file; reads its last bytes only."""
        hadoop = self._jvm.org.apache.parquet.hadoop
        file = hadoop.util.HadoopInputFile.fromPath(self._path(uri), self._configuration)
        reader = hadoop.ParquetFileReader.open(file)
        try:
            schema = reader.getFileMetaData().getSchema().toString()
            return ParquetFooter(
                int(reader.getRecordCount()),
                {name: physical for physical, name in _FIELD.findall(schema)},
            )
        finally:
            reader.close()

    def list_files(self, folder: str) -> list[FileInFolder]:
        """The files that lie directly in a folder, by name."""
        found = [
            FileInFolder(status.getPath().toString(), status.getPath().getName(), int(status.getLen()))
            for status in self._system(folder).listStatus(self._path(folder))
            if status.isFile()
        ]
        return sorted(found, key=lambda file: file.name)

    def move(self, source: str, target: str) -> bool:
        """Renames a file within its bucket, making the target's folder; False where the file system refuses."""
        system = self._system(target)
        system.mkdirs(self._path(target).getParent())
        return bool(system.rename(self._path(source), self._path(target)))

    def write(self, uri: str, content: bytes) -> None:
        """Writes a small file, replacing what is there."""
        stream = self._system(uri).create(self._path(uri), *_OVERWRITE)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()

    def delete(self, folder: str) -> None:
        """Deletes a folder and what is in it; nothing happens where there is none."""
        self._system(folder).delete(self._path(folder), *_RECURSIVELY)

    def _path(self, uri: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(uri)

    def _system(self, uri: str) -> Any:
        return self._path(uri).getFileSystem(self._configuration)
