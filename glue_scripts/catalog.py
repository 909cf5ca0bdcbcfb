"""The Glue Data Catalog: a partition for each table of a version."""

from typing import Any

from glue_scripts.job_errors import CatalogError
from glue_scripts.s3 import Client
from movie_platform.contracts.locations import archive_prefix
from movie_platform.contracts.tables import ARCHIVE_TABLES

_ALREADY_THERE = "AlreadyExistsException"


def add_partitions(
    client: Client, database: str, bucket: str, values: tuple[str, str, str], prefixes: dict[str, str]
) -> None:
    """Adds the partition (source, dt, version) to each table; one that is there is left. Raises CatalogError.

    `prefixes` are the folders, by table.
    """
    for table, prefix in prefixes.items():
        descriptor = client.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
        partition = {
            "Values": list(values),
            "StorageDescriptor": {**descriptor, "Location": f"s3://{bucket}/{prefix}"},
        }
        answer: dict[str, Any] = client.batch_create_partition(
            DatabaseName=database, TableName=table, PartitionInputList=[partition]
        )
        for failed in answer.get("Errors", ()):
            detail = failed.get("ErrorDetail", {})
            if detail.get("ErrorCode") != _ALREADY_THERE:
                raise CatalogError(
                    f"The catalog refused partition {'/'.join(values)} of {database}.{table}: "
                    f"{detail.get('ErrorCode')}: {detail.get('ErrorMessage')}. The files are written; mend the "
                    "catalog and start the job again: it then adds the partition only."
                )


def partition_prefixes(source: str, dt: Any, version: str) -> dict[str, str]:
    """The folder of each archive table for a version."""
    return {table.name: archive_prefix(table.name, source, dt, version) for table in ARCHIVE_TABLES}
