"""The Glue Data Catalog's tables in the CloudFormation template, written from the contracts.

`python -m movie_platform.provision.catalog` rewrites that part of the template; a test says when it has to be
run.
"""

import json
import sys

from movie_platform.contracts import ARCHIVE_TABLES, Column, Table
from movie_platform.provision.files import TEMPLATE

BEGIN = (
    "  # Tables of the catalog: written from the contracts by `python -m movie_platform.provision.catalog`.\n"
)
END = "  # End of the tables of the catalog.\n"

PARTITION_KEYS = (
    ("source", "string", "Name of the source profile."),
    ("dt", "date", "UTC date that the extract describes."),
    ("version", "string", "Batch and the first 12 digits of the transform that made it."),
)
_PARTITIONED = frozenset(name for name, _type, _comment in PARTITION_KEYS)
# Of the contracts' types every one has the same name in Hive.
_HIVE_TYPES = ("string", "int", "bigint", "date", "timestamp", "boolean")
_HIVE = "org.apache.hadoop.hive.ql.io.parquet"
# The Data Catalog's own limit.
_COMMENT_CHARACTERS = 255


def hive_type(contract_type: str) -> str:
    """The Hive type of a contract's type; ValueError for a type that Hive does not know by that name."""
    if contract_type in _HIVE_TYPES or contract_type.startswith("decimal("):
        return contract_type
    raise ValueError(f"no Hive type for the contract type {contract_type!r}")


def catalog_columns(table: Table) -> tuple[Column, ...]:
    """The columns that the catalog lists: all but the partition keys, whose values the path gives."""
    return tuple(column for column in table.columns if column.name not in _PARTITIONED)


def logical_id(table: Table) -> str:
    """The table's logical id in the template, such as MovieRatingsCatalogTable."""
    return "".join(part.capitalize() for part in table.name.split("_")) + "CatalogTable"


def render_tables() -> str:
    """The resources of all archive tables, as YAML lines of the template."""
    return "\n".join(_render_table(table) for table in ARCHIVE_TABLES)


def updated_template(template: str) -> str:
    """The template with its catalog tables as the contracts have them; ValueError where the markers are
    missing.
    """
    before, begin, rest = template.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the template has no part for the tables of the catalog")
    return f"{before}{begin}{render_tables()}{end}{after}"


def _render_table(table: Table) -> str:
    lines = [
        f"  {logical_id(table)}:",
        "    Type: AWS::Glue::Table",
        "    Properties:",
        "      CatalogId: !Ref AWS::AccountId",
        "      DatabaseName: !Ref CatalogDatabase",
        "      TableInput:",
        f"        Name: {table.name}",
        f"        Description: {_quoted(table.description)}",
        "        TableType: EXTERNAL_TABLE",
        "        Parameters: {classification: parquet, EXTERNAL: 'TRUE'}",
        "        PartitionKeys:",
        *(_column_line(name, kind, comment, 10) for name, kind, comment in PARTITION_KEYS),
        "        StorageDescriptor:",
        f'          Location: !Sub "s3://${{ArchiveBucket}}/{table.name}/"',
        f"          InputFormat: {_HIVE}.MapredParquetInputFormat",
        f"          OutputFormat: {_HIVE}.MapredParquetOutputFormat",
        f"          SerdeInfo: {{SerializationLibrary: {_HIVE}.serde.ParquetHiveSerDe}}",
        "          Columns:",
        *(
            _column_line(column.name, hive_type(column.type), column.description, 12)
            for column in catalog_columns(table)
        ),
        "",
    ]
    return "\n".join(lines)


def _column_line(name: str, kind: str, comment: str, indent: int) -> str:
    text = _quoted(comment[:_COMMENT_CHARACTERS])
    return f'{" " * indent}- {{Name: {name}, Type: "{kind}", Comment: {text}}}'


def _quoted(text: str) -> str:
    # A JSON string is a YAML double-quoted string.
    return json.dumps(text, ensure_ascii=False)


def main() -> int:
    """Rewrites the template's catalog tables; returns the exit code."""
    before = TEMPLATE.read_text("utf-8")
    after = updated_template(before)
    TEMPLATE.write_text(after, "utf-8")
    sys.stdout.write(f"{TEMPLATE}: {'unchanged' if before == after else 'rewritten'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
