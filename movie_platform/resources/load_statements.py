"""The statements with which loads are watched and asked for: text alone, for whoever has a session.

Standard library only. The exported Airflow DAGs hold these functions as they stand here.
"""

# COPY INTO takes a list of at most 1,000 files
# (https://docs.snowflake.com/en/sql-reference/sql/copy-into-table).
FILES_A_COPY = 1000

# Bind the table's name: COPY_HISTORY goes back 14 days.
HISTORY_STATEMENT = (
    "SELECT file_name, status, row_count, first_error_message FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY("
    "TABLE_NAME => %s, START_TIME => DATEADD(day, -13, CURRENT_TIMESTAMP()))) ORDER BY last_load_time"
)


def rows_statement(table: str, files: int) -> str:
    """Counts the different rows of each of `files` files, which are to be bound; `table` is SCHEMA.TABLE."""
    marks = ", ".join(["%s"] * files)
    return (
        f"SELECT file_name, COUNT(DISTINCT file_row) AS row_total FROM {table}"  # noqa: S608 - a constant of the contracts
        f" WHERE file_name IN ({marks}) GROUP BY file_name"
    )


def refresh_statement(table: str) -> str:
    """Asks the table's pipe for the files below a prefix, which is to be bound."""
    return f"ALTER PIPE {table}_PIPE REFRESH PREFIX = %s"


def copy_statement(table: str, files: int) -> str:
    """Loads `files` files, whose keys are to be bound, as the pipe would; for files too old for its REFRESH."""
    marks = ", ".join(["%s"] * files)
    return (
        f"COPY INTO {table} FROM @RAW.ARCHIVE_STAGE FILES = ({marks})"
        " FILE_FORMAT = (FORMAT_NAME = RAW.PARQUET_FORMAT) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
        " INCLUDE_METADATA = (file_name = METADATA$FILENAME, file_row = METADATA$FILE_ROW_NUMBER,"
        " loaded_at = METADATA$START_SCAN_TIME)"
    )
