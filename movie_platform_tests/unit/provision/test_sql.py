"""Which SQL files are applied, and how a file is split into statements."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.provision.render import Parameter
from movie_platform.provision.sql import load_sql_files, pending_files
from movie_platform.provision.statements import split_statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("-- nothing but a comment\n;\n", ()),
        ("SELECT 1; SELECT 2", ("SELECT 1", "SELECT 2")),
        ("SELECT ';' ;", ("SELECT ';'",)),
        ("SELECT 'it''s; here';", ("SELECT 'it''s; here'",)),
        ('SELECT "a;b";', ('SELECT "a;b"',)),
        ("SELECT 1 -- ; not here\n;", ("SELECT 1",)),
        ("/* a; b */ SELECT 1;", ("SELECT 1",)),
        ("SELECT $$ a; b $$;", ("SELECT $$ a; b $$",)),
        ("BEGIN; DELETE FROM a; COMMIT;", ("BEGIN", "DELETE FROM a", "COMMIT")),
        (
            "CREATE TASK t AS BEGIN DELETE FROM a; INSERT INTO b SELECT 1; END; SELECT 1;",
            ("CREATE TASK t AS BEGIN DELETE FROM a;\nINSERT INTO b SELECT 1;\nEND", "SELECT 1"),
        ),
    ],
)
def test_a_text_is_split_where_a_statement_ends(text, expected):
    assert split_statements(text) == expected


def test_a_body_that_is_not_closed_is_an_error():
    with pytest.raises(ValueError, match="BEGIN without END"):
        split_statements("CREATE TASK t AS BEGIN DELETE FROM a;")


@given(
    st.lists(
        st.text(alphabet=st.sampled_from("abc;-'$/* \n"), min_size=1).map(
            lambda text: "SELECT '" + text.replace("'", "''") + "'"
        )
    )
)
def test_literals_with_anything_in_them_never_split_a_statement(statements):
    assert split_statements(";\n".join(statements)) == tuple(statements)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text, "utf-8")
    return folder


def test_files_come_in_the_order_of_their_names(tmp_path):
    folder = write(tmp_path, b_2="SELECT 2;", a_1="SELECT 1;", c_3="SELECT 3;")
    assert [file.name for file in load_sql_files(folder, {})] == ["a_1.sql", "b_2.sql", "c_3.sql"]


def test_a_file_is_pending_until_its_present_content_was_applied(tmp_path):
    files = load_sql_files(write(tmp_path, one="SELECT 1;", two="SELECT 2;"), {})
    assert pending_files(files, {}) == files
    assert pending_files(files, {file.name: file.checksum for file in files}) == ()
    assert pending_files(files, {"one.sql": files[0].checksum, "two.sql": "older"}) == files[1:]


def test_another_parameter_makes_another_content(tmp_path):
    folder = write(tmp_path, one="USE ROLE {{ role }};")
    before = load_sql_files(folder, {"role": Parameter("identifier", "A")})
    after = load_sql_files(folder, {"role": Parameter("identifier", "B")})
    assert pending_files(after, {before[0].name: before[0].checksum}) == after
