"""docs/transform.md names what exists: every code, table, argument and nulled column of the transform."""

import re

import pytest

from glue_scripts.arguments import read_arguments
from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.rules import ROW_RULES
from movie_platform.contracts.tables import (
    MAXIMUM_RUNTIME_MINUTES,
    MAXIMUM_YEAR,
    MINIMUM_RUNTIME_MINUTES,
    MINIMUM_YEAR,
    MOVIES,
    PEOPLE_ROLES,
    RATING_BANDS,
    RATING_PROVIDERS,
)
from movie_platform.sources.rejections import READER_CODES
from movie_platform_tests.paths import ROOT

TEXT = (ROOT / "docs" / "transform.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        *ROW_RULES,
        *READER_CODES,
        *(table.name for table in ARCHIVE_TABLES),
        *RATING_PROVIDERS,
        *PEOPLE_ROLES,
        *RATING_BANDS,
        *("decade", "release_quarter", "profit", "return_on_investment", "average_rating", "primary_genre"),
    ],
)
def test_the_document_names_what_the_contract_names(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_the_document_names_the_ranges_of_the_contract() -> None:
    assert f"{MINIMUM_YEAR} to {MAXIMUM_YEAR}" in TEXT
    assert f"{MINIMUM_RUNTIME_MINUTES} to {MAXIMUM_RUNTIME_MINUTES:,} minutes" in TEXT


def test_the_codes_that_the_document_explains_are_the_rules_in_their_order() -> None:
    quarantine = TEXT.partition("\n## Quarantine\n")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", quarantine, re.MULTILINE)) == ROW_RULES


def test_the_columns_that_the_document_derives_are_columns_of_films() -> None:
    derived = TEXT.partition("\n### What follows from them\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)`", derived)) - {*RATING_BANDS, "the", "a", "an", "godfather"}
    assert named <= set(MOVIES.column_names)


def test_the_arguments_of_the_document_are_those_of_the_job() -> None:
    given = {
        "--verified_uri": "s3://processed/movies/_VERIFIED.json",
        "--output_uri": "s3://archive",
        "--catalog_database": "films",
        "--write_csv": "true",
        "--JOB_RUN_ID": "jr_1",
    }
    assert [name for name in given if f"`{name}`" not in TEXT] == []
    words = [word for pair in given.items() for word in pair]
    arguments = read_arguments(["transform_movies.py", *words, "--unknown", "x"])
    assert (arguments.verified_uri, arguments.output_bucket) == (given["--verified_uri"], "archive")
    assert (arguments.catalog_database, arguments.write_csv, arguments.job_run_id) == ("films", True, "jr_1")
