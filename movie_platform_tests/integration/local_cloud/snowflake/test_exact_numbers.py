"""Quotients, averages, products and sums of NUMBERs against Python's decimal.

Source: Snowflake documentation, "Arithmetic operators" (scale and precision), "AVG", "ROUND", "DIV0".
"""

import uuid
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows

pytestmark = pytest.mark.cloud

EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
PROPERTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, f"CREATE DATABASE N{uuid.uuid4().hex[:8].upper()}")
        yield opened


def value(connection: SnowflakeConnection, expression: str) -> Any:
    [(found,)] = rows(connection, f"SELECT {expression}")
    return found


@st.composite
def numbers(draw: st.DrawFn) -> tuple[Decimal, int, int]:
    """A number with the precision and scale of its column."""
    scale = draw(st.integers(0, 9))
    precision = draw(st.integers(max(scale, 1), 16))
    unscaled = draw(st.integers(-(10**precision) + 1, 10**precision - 1))
    return Decimal(unscaled).scaleb(-scale), precision, scale


def written(number: tuple[Decimal, int, int]) -> str:
    return f"({number[0]:f})::NUMBER({number[1]}, {number[2]})"


def rounded(exact: Decimal, scale: int) -> Decimal:
    return exact.quantize(Decimal(1).scaleb(-scale), context=EXACT)


def quotient_scale(scale: int) -> int:
    return max(scale, min(scale + 6, 12))


@PROPERTY
@given(numbers(), numbers().filter(lambda number: number[0] != 0))
def test_a_quotient_is_exact_to_its_scale_and_rounded_half_up(
    connection: SnowflakeConnection, dividend: tuple[Decimal, int, int], divisor: tuple[Decimal, int, int]
) -> None:
    found = value(connection, f"{written(dividend)} / {written(divisor)}")
    with localcontext(EXACT):
        expected = rounded(dividend[0] / divisor[0], quotient_scale(dividend[2]))
    assert found == expected
    assert found.as_tuple().exponent == expected.as_tuple().exponent


@PROPERTY
@given(numbers(), numbers())
def test_a_product_is_exact_to_its_scale(
    connection: SnowflakeConnection, left: tuple[Decimal, int, int], right: tuple[Decimal, int, int]
) -> None:
    found = value(connection, f"{written(left)} * {written(right)}")
    with localcontext(EXACT):
        scale = min(left[2] + right[2], max(left[2], right[2], 12))
        assert found == rounded(left[0] * right[0], scale)


@PROPERTY
@given(st.integers(0, 9), st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=12))
def test_an_average_is_the_exact_sum_divided_by_the_count(
    connection: SnowflakeConnection, scale: int, unscaled: list[int]
) -> None:
    values = [Decimal(number).scaleb(-scale) for number in unscaled]
    listed = ", ".join(f"(({number:f})::NUMBER(38, {scale}))" for number in values)
    [(average, total, by_window, distinct)] = rows(
        connection,
        "SELECT AVG(column1), SUM(column1), MAX(windowed), AVG(DISTINCT column1) FROM "
        f"(SELECT column1, AVG(column1) OVER () AS windowed FROM VALUES {listed})",
    )
    with localcontext(EXACT):
        assert total == sum(values, Decimal(0))
        assert average == by_window == rounded(sum(values, Decimal(0)) / len(values), quotient_scale(scale))
        assert distinct == rounded(sum(set(values), Decimal(0)) / len(set(values)), quotient_scale(scale))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 / 3", "0.333333"),
        ("2 / 3", "0.666667"),
        ("-2 / 3", "-0.666667"),
        ("1.5 / 7", "0.2142857"),
        ("1.123456789 / 1", "1.123456789000"),
        ("1 / 2 / 3", "0.166666666667"),
        ("(1 / 3)::NUMBER(5, 2)", "0.33"),
        ("ROUND(2.5)", "3"),
        ("ROUND(-2.5)", "-3"),
        ("ROUND(35.035, 2)", "35.04"),
        ("ROUND(-35.035, 2)", "-35.04"),
        ("DIV0(1, 0)", "0"),
        ("DIV0(1, 3)", "0.333333"),
        ("DIV0NULL(1, NULL)", "0"),
        ("10.001 * .001", "0.010001"),
        (".1 * .0000000000001", "0"),
        ("12345678901234567.5::NUMBER(18, 1) * 9.5::NUMBER(18, 1)", "117283949561728391.25"),
        ("SUM(column1) FROM VALUES (9223372036854775807), (9223372036854775807)", "18446744073709551614"),
        ("AVG(column1)::NUMBER(5, 2) FROM VALUES (1.00), (1.01), (1.02), (1.01)", "1.01"),
        ("AVG(column1)::NUMBER(5, 2) FROM VALUES (1.01), (1.00)", "1.01"),
        ("AVG(column1)::NUMBER(5, 2) FROM VALUES (35.03), (35.04)", "35.04"),
    ],
)
def test_arithmetic_gives_the_numbers_of_the_documentation(
    connection: SnowflakeConnection, expression: str, expected: str
) -> None:
    assert value(connection, expression) == Decimal(expected)


def test_an_average_without_rows_is_null(connection: SnowflakeConnection) -> None:
    assert value(connection, "AVG(n) FROM (SELECT 1.5 AS n WHERE FALSE)") is None


def test_floats_stay_floats(connection: SnowflakeConnection) -> None:
    assert value(connection, "1::FLOAT / 3") == 1 / 3
    assert value(connection, "AVG(column1::FLOAT) FROM VALUES (1), (2)") == 1.5
    assert value(connection, "1.5 * 2::FLOAT") == 3.0


@pytest.mark.parametrize("expression", ["1 / 0", "1.5 / 0.0", "1::FLOAT / 0"])
def test_division_by_zero_is_an_error(connection: SnowflakeConnection, expression: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        rows(connection, f"SELECT {expression}")
    assert caught.value.errno == 100051


def test_a_guard_keeps_a_zero_from_being_divided_by(connection: SnowflakeConnection) -> None:
    found = rows(
        connection,
        "SELECT DIV0(column1, column2), column1 / NULLIF(column2, 0), "
        "CASE WHEN column2 <> 0 THEN column1 / column2 END FROM VALUES (1, 0), (1, 4) ORDER BY 1",
    )
    assert found == [(0, None, None), (Decimal("0.25"),) * 3]


def test_quotients_are_the_same_where_they_are_grouped_and_ordered(connection: SnowflakeConnection) -> None:
    found = rows(
        connection,
        "SELECT column1 / 3, COUNT(*) / 4 FROM VALUES (1), (1), (2) GROUP BY column1 / 3 "
        "HAVING AVG(column1) > 0.5 ORDER BY column1 / 3 DESC",
    )
    assert found == [(Decimal("0.666667"), Decimal("0.25")), (Decimal("0.333333"), Decimal("0.5"))]


def test_bound_values_are_divided_as_written_ones(snowflake_cloud: SnowflakeCloud) -> None:
    with snowflake_cloud.connect(paramstyle="qmark") as opened:
        assert rows(opened, "SELECT ? / ?, ? * 2, ?", (1, 3, 5, "x")) == [
            (Decimal("0.333333"), 10, "x"),
        ]


def test_what_a_statement_stores_is_divided_exactly(connection: SnowflakeConnection) -> None:
    rows(
        connection,
        "CREATE OR REPLACE TABLE shares (part NUMBER(38, 0), whole NUMBER(38, 0), share NUMBER(7, 6))",
    )
    rows(connection, "INSERT INTO shares SELECT 1, 3, 1 / 3")
    rows(connection, "UPDATE shares SET share = part / (whole + 1)")
    assert rows(connection, "SELECT share FROM shares") == [(Decimal("0.25"),)]
    rows(
        connection,
        "MERGE INTO shares USING (SELECT 1 AS n) ON n = part WHEN MATCHED THEN UPDATE SET share = part / (whole * 2)",
    )
    assert rows(connection, "SELECT share FROM shares") == [(Decimal("0.166667"),)]
    rows(connection, "BEGIN")
    rows(connection, "DELETE FROM shares WHERE part / whole < 0.5")
    assert rows(connection, "SELECT COUNT(*) FROM shares") == [(0,)]
    rows(connection, "ROLLBACK")
    rows(connection, "CREATE OR REPLACE VIEW half AS SELECT share / 2 AS h FROM shares")
    assert rows(connection, "SELECT h FROM half") == [(Decimal("0.083333500000"),)]
