"""Reading a verified batch: exactly the files that it lists, with explicit schemas, checked against the manifest."""

from pyspark.sql import DataFrame, SparkSession, types
from pyspark.sql import functions as fn

from glue_scripts.batch import DataFile, VerifiedBatch
from glue_scripts.hadoop import Hadoop, ParquetFooter
from glue_scripts.job_errors import InputMismatchError
from glue_scripts.spark_types import text_schema

_REJECTED_SCHEMA = types.StructType(
    [
        types.StructField("line_number", types.LongType()),
        types.StructField("raw_text", types.StringType()),
        types.StructField("code", types.StringType()),
        types.StructField("message", types.StringType()),
    ]
)


def raw_rows(spark: SparkSession, batch: VerifiedBatch) -> DataFrame:
    """The rows of a batch as text: from its Parquet files, or from its CSV files where it has no others."""
    schema = text_schema(batch.columns)
    uris = [file.location.uri for file in batch.data]
    if not uris:
        return spark.range(0).select(
            *(fn.lit(None).cast(field.dataType).alias(field.name) for field in schema)
        )
    if batch.data_format == "parquet":
        return spark.read.schema(schema).parquet(*uris)
    read = spark.read.schema(schema).csv(
        uris,
        header=True,
        enforceSchema=False,
        quote='"',
        escape='"',
        multiLine=True,
        encoding="UTF-8",
        mode="FAILFAST",
        ignoreLeadingWhiteSpace=False,
        ignoreTrailingWhiteSpace=False,
        maxCharsPerColumn=-1,
    )
    # CSV does not tell a null from an empty text.
    return read.select(*(fn.when(fn.col(name) != "", fn.col(name)).alias(name) for name in batch.columns))


def rejected_rows(spark: SparkSession, batch: VerifiedBatch) -> DataFrame | None:
    """What the reader rejected: line_number, raw_text, code, message; None where it rejected nothing."""
    uris = [file.location.uri for file in batch.rejected]
    if not uris:
        return None
    return spark.read.schema(_REJECTED_SCHEMA).json(uris, mode="FAILFAST", encoding="UTF-8", lineSep="\n")


def check_parquet_files(hadoop: Hadoop, batch: VerifiedBatch) -> None:
    """Compares every Parquet file's footer with the manifest. Raises InputMismatchError."""
    if batch.data_format != "parquet":
        return
    for file in batch.data:
        if problem := footer_problem(hadoop.parquet_footer(file.location.uri), file, batch.columns):
            raise InputMismatchError(
                f"{file.location.uri} is not what the batch's manifest says: {problem}. "
                "Have the producer send the bundle again; nothing was written."
            )


def footer_problem(footer: ParquetFooter, file: DataFile, columns: tuple[str, ...]) -> str | None:
    """What of a footer differs from the manifest, in words; None for nothing."""
    if footer.rows != file.rows:
        return f"it holds {footer.rows} rows, the manifest says {file.rows}"
    if lacking := [name for name in columns if name not in footer.columns]:
        return f"it lacks the columns {', '.join(lacking)}"
    if typed := [f"{name} ({footer.columns[name]})" for name in columns if footer.columns[name] != "binary"]:
        return f"all columns must be strings, these are not: {', '.join(typed)}"
    return None
