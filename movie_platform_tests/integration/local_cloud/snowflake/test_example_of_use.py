"""Tests of a shop's SQL: one Snowflake for all of them, a fresh database for each."""

from collections.abc import Iterator

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform.local_cloud.snowflake.server import RunningServer, running_server


@pytest.fixture(scope="session")
def snowflake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("snowflake")) as server:
        yield server


@pytest.fixture
def shop(snowflake_server: RunningServer) -> Iterator[SnowflakeConnection]:
    with snowflake.connector.connect(**snowflake_server.connect_arguments()) as connection:
        connection.cursor().execute("CREATE OR REPLACE WAREHOUSE shop_wh")
        connection.cursor().execute("CREATE OR REPLACE DATABASE shop")
        connection.cursor().execute("CREATE TABLE orders (id INT, state VARCHAR)")
        yield connection


def test_a_later_state_of_an_order_replaces_the_earlier_one(shop: SnowflakeConnection) -> None:
    with shop.cursor() as cursor:
        cursor.execute("INSERT INTO orders VALUES (1, 'paid'), (2, 'paid')")
        cursor.execute(
            """
            MERGE INTO orders USING (SELECT * FROM VALUES (2, 'sent'), (3, 'paid')) AS news (id, state)
            ON orders.id = news.id
            WHEN MATCHED THEN UPDATE SET state = news.state
            WHEN NOT MATCHED THEN INSERT (id, state) VALUES (news.id, news.state)
            """
        )
        assert cursor.fetchall() == [(1, 1)]
        cursor.execute("SELECT id, state FROM orders ORDER BY id")
        assert cursor.fetchall() == [(1, "paid"), (2, "sent"), (3, "paid")]


def test_a_stream_gives_what_came_since_it_was_read(shop: SnowflakeConnection) -> None:
    with shop.cursor() as cursor:
        cursor.execute("CREATE STREAM new_orders ON TABLE orders APPEND_ONLY = TRUE")
        cursor.execute("CREATE TABLE mailed (id INT)")
        for order in (1, 2):
            cursor.execute("INSERT INTO orders VALUES (%s, 'paid')", (order,))
            cursor.execute("INSERT INTO mailed SELECT id FROM new_orders")
            assert cursor.rowcount == 1
