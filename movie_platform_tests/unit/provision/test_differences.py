"""What applying a file would change, and above all what it would take away."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.provision.declared import DeclaredColumn, DeclaredTable, declared_tables
from movie_platform.provision.differences import (
    ActualTable,
    WouldLoseError,
    differences_of_table,
    losses_of_warehouse,
    own_monitors,
    own_warehouses,
    require_nothing_lost,
)

NAMES = st.lists(st.sampled_from("ABCDEFG"), unique=True, max_size=7)


def columns(names: list[str]) -> tuple[DeclaredColumn, ...]:
    return tuple(DeclaredColumn(name, "NUMBER(10,0)", nullable=True, comment=name) for name in names)


def table(names: list[str], properties: str = "") -> DeclaredTable:
    return DeclaredTable("MOVIES", "RAW.T", columns(names), properties)


@given(NAMES, NAMES)
def test_a_column_that_the_file_does_not_name_is_a_loss_and_one_that_it_names_anew_is_none(wanted, present):
    found = differences_of_table(table(wanted), ActualTable(columns(present)))
    assert {each.what.split()[1] for each in found if each.loses} == set(present) - set(wanted)
    assert {each.what.split()[1] for each in found if not each.loses} == set(wanted) - set(present)


@given(NAMES)
def test_a_table_that_is_as_declared_differs_in_nothing(names):
    assert differences_of_table(table(names), ActualTable(columns(names))) == []


def test_types_nulls_and_comments_are_compared_and_longer_texts_are_what_they_were():
    [column] = columns(["A"])
    present = ActualTable((replace(column, type="NUMBER(5,0)", nullable=False, comment="old"),))
    found = [str(each) for each in differences_of_table(table(["A"]), present)]
    assert found == [
        "table RAW.T: column A becomes NUMBER(10,0); it is NUMBER(5,0)",
        "table RAW.T: column A may be null",
        "table RAW.T: the comment of column A changes",
    ]
    text = DeclaredTable("MOVIES", "RAW.T", (replace(column, type="VARCHAR(16777216)"),), "")
    longer = ActualTable((replace(column, type="VARCHAR(134217728)"),))
    assert differences_of_table(text, longer) == []


def test_what_others_set_on_a_table_is_a_loss_unless_the_file_names_it():
    actual = ActualTable(columns(["A"]), frozenset({"DATA_RETENTION_TIME_IN_DAYS"}), "LINEAR(A)")
    losses = differences_of_table(table(["A"]), actual)
    assert [each.loses for each in losses] == [True, True]
    with pytest.raises(WouldLoseError, match=r"DATA_RETENTION_TIME_IN_DAYS.*LINEAR\(A\)") as caught:
        require_nothing_lost("100_t.sql", losses)
    assert "100_t.sql was not applied" in caught.value.message
    named = table(["A"], "CLUSTER BY (A)\nDATA_RETENTION_TIME_IN_DAYS = 3")
    assert differences_of_table(named, actual) == []


def test_a_table_is_read_from_the_text_of_its_file_and_a_line_that_is_none_of_it_is_refused():
    text = (
        "CREATE OR ALTER TABLE M.RAW.t (\n    a NUMBER(18, 2) NOT NULL COMMENT 'It''s, a',\n    b DATE{}\n)"
        "\nCOMMENT = 'T'"
    )
    [read] = declared_tables("x.sql", [text.format("")])
    assert read == DeclaredTable(
        "M",
        "RAW.T",
        (
            DeclaredColumn("A", "NUMBER(18,2)", nullable=False, comment="It's, a"),
            DeclaredColumn("B", "DATE", nullable=True, comment=""),
        ),
        "\nCOMMENT = 'T'",
    )
    with pytest.raises(ValueError, match="is not read as a column"):
        list(declared_tables("x.sql", [text.format(" DEFAULT 1")]))


def shown(name: str, comment: str, monitor: str = "null", **columns: object) -> dict[str, object]:
    return {"name": name, "comment": comment, "resource_monitor": monitor, **columns}


def test_a_warehouse_is_ours_by_its_comment_and_a_monitor_that_watches_others_is_not():
    rows = [
        shown("A", "Movie Platform: loads.", "A_MONITOR"),
        shown("B", "Movie Platform: reads.", "SHARED"),
        shown("C", "Somebody's", "SHARED"),
        shown("D", "", "null"),
    ]
    assert own_warehouses(rows) == {"A", "B"}
    assert own_monitors(rows) == {"A_MONITOR"}


def test_what_others_set_on_a_warehouse_is_a_loss():
    row = shown("A", "Movie Platform", max_cluster_count=3, scaling_policy="STANDARD", type="STANDARD")
    losses = losses_of_warehouse(
        "CREATE WAREHOUSE A STATEMENT_TIMEOUT_IN_SECONDS = 1",
        row,
        ["MAX_CONCURRENCY_LEVEL", "STATEMENT_TIMEOUT_IN_SECONDS"],
    )
    assert [str(each) for each in losses] == [
        "warehouse A: MAX_CLUSTER_COUNT is 3, and would be 1 again",
        "warehouse A: MAX_CONCURRENCY_LEVEL, which is set on it, is unset",
    ]
