"""The generated films: the same every time, of the announced shape, with the announced faults."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from movie_platform.bench import films
from movie_platform.bench.database import TABLE, write_database
from movie_platform.contracts.raw import raw_column_names
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source


@pytest.fixture(scope="module")
def first_batch() -> pa.RecordBatch:
    return next(films.film_batches(films.BATCH_FILMS))


def test_the_same_films_are_generated_each_time(first_batch: pa.RecordBatch) -> None:
    assert first_batch.equals(next(films.film_batches(films.BATCH_FILMS)))


def test_more_films_begin_with_the_films_of_fewer(first_batch: pa.RecordBatch) -> None:
    batches = list(films.film_batches(films.BATCH_FILMS + 7))

    assert [batch.num_rows for batch in batches] == [films.BATCH_FILMS, 7]
    assert batches[0].equals(first_batch)
    assert next(films.film_batches(10)).equals(first_batch.slice(0, 10))


def test_another_batch_holds_other_films(first_batch: pa.RecordBatch) -> None:
    second = list(films.film_batches(2 * films.BATCH_FILMS))[1]

    assert not second.column("plot").equals(first_batch.column("plot"))
    keys = set(second.column(films.KEY).to_pylist()) - {None}
    assert keys.isdisjoint(first_batch.column(films.KEY).to_pylist())


def test_less_than_one_film_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="at least one film"):
        next(films.film_batches(0))


def test_every_column_is_text(first_batch: pa.RecordBatch) -> None:
    assert first_batch.schema.names == list(films.COLUMNS)
    assert set(first_batch.schema.types) == {pa.string()}


def test_every_kind_of_fault_occurs_as_often_as_announced(first_batch: pa.RecordBatch) -> None:
    rows = first_batch.to_pylist()
    expected = {
        kind: share * films.BATCH_FILMS // 1_000_000 for kind, share in films.FAULTS_PER_MILLION.items()
    }
    keys = [row[films.KEY] for row in rows if row[films.KEY] is not None]
    repeated = _repeated(keys)
    alike = [row for row in rows if row[films.KEY] in repeated]
    exact = len(alike) - len({tuple(row.values()) for row in alike})

    assert {
        "missing_key": len(rows) - len(keys),
        "missing_title": sum(not row["title"].strip() for row in rows),
        "impossible_year": sum(row["year"] == "3024" for row in rows),
        "impossible_runtime": sum(row["runtime"] == "999999 min" for row in rows),
        "exact_duplicate": exact,
        "duplicate_key": len(keys) - len(set(keys)) - exact,
    } == expected
    assert all(expected.values())


def _repeated(keys: list[str]) -> set[str]:
    seen: set[str] = set()
    return {key for key in keys if key in seen or seen.add(key)}


@pytest.mark.parametrize(
    ("column", "forms"),
    [
        (
            "released",
            [r"\d\d [A-Z][a-z]{2} \d{4}", r"\d{4}-\d\d-\d\d", r"[A-Z][a-z]+ \d+, \d{4}", r"\d{4}", "N/A"],
        ),
        ("runtime", [r"\d+ min", r"\d+", r"\d+h \d+m", "N/A"]),
        ("budget", [r"\$\d{1,3}(,\d{3})+", r"\d+", r"\$\d+\.\d\dM", r"\\N"]),
        ("actors", [r"[^|,\[]+(, [^|,]+)+", r"[^|,\[]+(\|[^|,]+)+", r'\["[^"]+"(, "[^"]+")*\]']),
        ("imdb_rating", [r"\d+\.\d", r"\d+\.\d/10", "N/A"]),
        ("imdb_votes", [r"\d{1,3}(,\d{3})+", r"\d+"]),
    ],
)
def test_values_come_in_several_forms(first_batch: pa.RecordBatch, column: str, forms: list[str]) -> None:
    values = pa.table([first_batch.column(column)], names=["value"])

    for form in forms:
        matching = pa.compute.match_substring_regex(values["value"], f"^{form}$")  # type: ignore[attr-defined] # made at import
        assert pa.compute.sum(matching).as_py() > 0, form  # type: ignore[attr-defined] # made at import


def test_some_values_are_null(first_batch: pa.RecordBatch) -> None:
    shares = {name: first_batch.column(name).null_count / first_batch.num_rows for name in films.COLUMNS}

    assert 0.5 < shares["budget"] < 0.8
    assert shares["title"] == 0
    assert sum(share > 0 for share in shares.values()) > len(films.COLUMNS) // 2


def test_the_database_is_read_by_its_own_profile(tmp_path: Path) -> None:
    database = write_database(tmp_path, 500)
    settings = Settings(home=tmp_path)
    profile = load_profile(str(database.profile), settings=settings)
    source = open_source(profile, settings=settings)
    batches = list(source.batches(date(2026, 11, 18), None))
    table = pa.Table.from_batches([batch.rows for batch in batches])

    assert table.num_rows == 500
    assert not any(batch.rejected for batch in batches)
    # What the generator does not fill is not in the profile either.
    assert set(raw_column_names()) - set(table.column_names) == {
        "metascore_reviews",
        "critic_reviews",
    }
    generated = next(films.film_batches(500))
    assert table["title"].to_pylist() == generated.column("title").to_pylist()
    assert '"tagline"' in table["extra"][0].as_py()


def test_the_table_is_named_as_the_bare_tools_name_it(tmp_path: Path) -> None:
    database = write_database(tmp_path, 1)

    assert f'table = "{TABLE}"' in database.profile.read_text("utf-8")
