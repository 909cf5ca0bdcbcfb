"""A database that takes the place of another, while somebody still reads that."""

import threading
from pathlib import Path

from movie_platform.local_cloud.snowflake.state.engine import Engine


def test_a_database_is_replaced_when_the_last_transaction_that_reads_it_has_ended(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    try:
        engine.create_database("D")
        reader = engine.cursor()
        reader.execute('CREATE TABLE "D"."PUBLIC".t AS SELECT 1 AS a')
        reader.execute("BEGIN")
        assert reader.execute('SELECT a FROM "D"."PUBLIC".t').fetchall() == [(1,)]
        ends = threading.Timer(0.5, lambda: reader.execute("ROLLBACK"))
        ends.start()
        assert engine.create_database("D", replace=True)
        ends.join()
        tables = engine.query(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'D' AND table_name = 't'"
        )
        assert tables == []
    finally:
        engine.close()
