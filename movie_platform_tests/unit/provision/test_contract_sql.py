"""What SQL files take from the contracts is what the contracts say, and a slip of the pen is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.contracts.marts import COMPARED_ATTRIBUTES
from movie_platform.contracts.warehouse import MEASURES
from movie_platform.provision.contract_sql import with_contracts


def test_an_entry_for_each_name_stands_on_a_line_of_its_own_with_the_indent_of_the_first():
    text = "SELECT\n    a,\n    {{ each measures: films.{} }},\n    b\n"
    assert (
        with_contracts(text, where="x.sql")
        == "SELECT\n    a,\n" + "".join(f"    films.{name},\n" for name in MEASURES) + "    b\n"
    )


def test_entries_may_be_joined_by_something_else():
    written = with_contracts("    {{ each compared with ||: f(new.{}, '{}') }}, 3", where="x.sql")
    first, second, *_ = COMPARED_ATTRIBUTES
    assert written.startswith(f"    f(new.{first}, '{first}')\n    || f(new.{second}, '{second}')\n    || ")
    assert written.endswith(", 3")


@pytest.mark.parametrize(
    ("name", "as_text"),
    [
        ("title", "old.title"),
        ("writers", "old.writers"),
        ("year", "CAST(old.year AS VARCHAR)"),
        ("release_date", "TO_CHAR(old.release_date, 'YYYY-MM-DD')"),
    ],
)
def test_a_value_is_made_text_by_its_type_and_by_no_sessions_format(name, as_text):
    assert f"<{as_text}>" in with_contracts("{{ each compared: <{text of old}> }}", where="x.sql")
    assert name in COMPARED_ATTRIBUTES


@pytest.mark.parametrize(
    "text",
    [
        "{{ columns RAW.nothing }}",
        "{{ titles movies }}",
        "{{ comment CORE.movies }}",
        "{{ each nothing: {} }}",
        "{{ each measures {} }}",
    ],
)
def test_what_no_contract_has_is_refused_with_the_files_name(text):
    with pytest.raises(ValueError, match=r"x\.sql: .*there is no"):
        with_contracts(text, where="x.sql")


@given(st.text(alphabet="{} abc\n|:", max_size=60))
def test_text_without_such_a_line_stays_as_it_is(text):
    assert with_contracts(text, where="x.sql") == text
