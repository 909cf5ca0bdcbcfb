"""The renderer writes nothing into SQL that is not what its parameter has to be."""

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from movie_platform.errors import ConfigurationError
from movie_platform.provision.render import Parameter, render
from movie_platform.provision.warehouse import sql_parameters
from movie_platform.settings import Settings

KINDS = st.sampled_from(["identifier", "number", "url", "arn"])
HOSTILE = st.text(alphabet=st.sampled_from("AZ09az_-.:/'\"\\;,(){}$%* \n\t\0é"), max_size=40)


VALID = {
    "identifier": r"X_[A-Z0-9_]{0,20}",
    "number": r"[0-9]{1,9}",
    "url": r"s3://[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]/([a-z_=.-]{1,8}/){0,2}",
    "arn": r"arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/:-]{1,30}",
}


@st.composite
def values(draw: st.DrawFn) -> tuple[str, str]:
    """A kind and a value that is of it, or is anything."""
    kind = draw(KINDS)
    return kind, draw(st.one_of(st.from_regex(VALID[kind], fullmatch=True), st.text(max_size=60), HOSTILE))


@given(values())
def test_a_value_is_one_token_of_sql_or_it_is_refused(kind_and_value):
    kind, value = kind_and_value
    try:
        rendered = render("SELECT {{ value }}", {"value": Parameter(kind, value)}, where="test")
    except ConfigurationError:
        return
    selected = sqlglot.parse(rendered, dialect="snowflake")
    assert len(selected) == 1
    assert isinstance(selected[0], exp.Select)
    (expression,) = selected[0].expressions
    if kind == "identifier":
        assert expression.sql(dialect="snowflake").strip('"') == value
    else:
        assert isinstance(expression, exp.Literal)
        assert expression.this == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("identifier", "MOVIES; DROP DATABASE X"),
        ("identifier", 'MOVIES"'),
        ("identifier", "movies"),
        ("identifier", ""),
        ("identifier", "MOVIES\n"),
        ("number", "1e9"),
        ("number", "-1"),
        ("url", "s3://bucket/'; --"),
        ("url", "https://bucket/"),
        ("url", "s3://bucket"),
        ("arn", "arn:aws:iam::000000000000:role/x'"),
        ("arn", "arn:aws:iam::role/x"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_a_configuration_error(kind, value):
    with pytest.raises(ConfigurationError, match="is not a valid"):
        render("{{ value }}", {"value": Parameter(kind, value)}, where="test")


@pytest.mark.parametrize("kind", VALID)
@given(data=st.data())
def test_a_valid_value_is_never_refused(kind, data):
    value = data.draw(st.from_regex(VALID[kind], fullmatch=True))
    rendered = render("{{ value }}", {"value": Parameter(kind, value)}, where="test")
    assert rendered == (value if kind in ("identifier", "number") else f"'{value}'")


def test_an_unknown_placeholder_is_named_with_its_file():
    with pytest.raises(ValueError, match=r"100_x\.sql: there is no parameter 'nobody'"):
        render("{{ nobody }}", {}, where="100_x.sql")


@pytest.mark.parametrize("text", ["{{ a b }}", "{{}}", "{{ a", "a }}", "{% if a %}", "{{ a|upper }}"])
def test_there_is_no_other_syntax(text):
    with pytest.raises(ValueError, match="is no placeholder"):
        render(text, {"a": Parameter("identifier", "A")}, where="test")


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_text_without_placeholders_stays_as_it_is(text):
    assert render(text, {}, where="test") == text


def test_settings_that_are_no_identifiers_are_refused_before_anything_is_applied():
    settings = Settings(snowflake_warehouse='WH"; DROP DATABASE MOVIES; --')
    with pytest.raises(ConfigurationError) as caught:
        render("{{ warehouse }}", sql_parameters(settings, "arn:aws:iam::000000000000:role/x"), where="test")
    assert caught.value.exit_code == 2
    assert caught.value.next_step is not None
