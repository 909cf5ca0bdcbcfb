"""What the transform makes of whole rows: verdicts, duplicates, tables, counts."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from glue_scripts import archive_tables, films
from glue_scripts.archive_tables import Version, file_count
from glue_scripts.batch import parse_batch
from glue_scripts.hashing import hashed_columns, row_hash
from glue_scripts.job import quarantined_by_rule, reconcile
from glue_scripts.job_errors import InputMismatchError, ReconciliationError
from movie_platform.contracts.tables import ARCHIVE_TABLES, MOVIES

pytestmark = pytest.mark.spark

COLUMNS = ("movie_id", "title", "year", "runtime", "genres", "directors", "cast", "imdb_rating", "updated_at")
VERSION = Version("test", date(2026, 11, 18), "20261118T060000Z-0123456789ab", "f" * 64)
ROWS: list[tuple[str | None, ...]] = [
    ("1", "Kept", "1994", "142 min", "Drama, Crime", "Ann", "Bob, Cy", "9.2", "2026-11-02"),
    ("1", "Kept", "1994", "142 min", "Drama, Crime", "Ann", "Bob, Cy", "9.2", "2026-11-02"),
    ("1", "Older", "1994", "142 min", None, None, None, None, "2026-11-01"),
    (" 1 ", "Undated", "1994", "142 min", None, None, None, None, None),
    ("1", "Newer, but too long", "1994", "60001", None, None, None, None, "2026-11-03"),
    ("2", "Tie", "2000", None, None, None, None, None, None),
    ("2", "Other tie", "2000", None, None, None, None, None, None),
    (None, "Keyless", None, None, None, None, None, None, None),
    (None, "Keyless", None, None, None, None, None, None, None),
    ("N/A", "Keyless too", None, None, None, None, None, None, None),
    ("3", "\\N", None, None, None, None, None, None, None),
    ("4", "Too early", "1869", None, None, None, None, None, None),
    ("5", "Backwards", "1994–1990", None, None, None, None, None, None),
    ("6", "No time at all", "1994", "0", None, None, None, None, None),
    ("7", "Unreadable", "soon", "soon", "", "", "", "soon", "soon"),
]


def raw(spark: SparkSession, rows: Sequence[tuple[str | None, ...]]) -> DataFrame:
    return spark.createDataFrame(list(rows), ", ".join(f"{name} string" for name in COLUMNS))


def keys(frame: DataFrame) -> list[str | None]:
    return [row["movie_id"] for row in films.repeated_keys(frame).collect()]


def rows_of(frame: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict(recursive=True) for row in frame.collect()]


def judge(spark: SparkSession, rows: Sequence[tuple[str | None, ...]]) -> DataFrame:
    """Judged and kept, as the job does."""
    frame = raw(spark, rows)
    repeated = keys(frame)
    single, rivals = films.split_repeated(films.parse(frame, repeated), repeated)
    return single.unionByName(films.settle_duplicates(rivals)).cache()


@pytest.fixture(scope="module")
def judged(spark: SparkSession) -> DataFrame:
    return judge(spark, ROWS)


def test_each_row_has_the_verdict_of_the_first_rule_that_it_breaks(judged: DataFrame) -> None:
    verdicts = sorted((row["title"] or "", row["verdict"] or "film") for row in judged.collect())
    ties = [verdict for title, verdict in verdicts if title.lower().endswith("tie")]
    assert sorted(ties) == ["duplicate_key", "film"]
    assert [pair for pair in verdicts if not pair[0].lower().endswith("tie")] == sorted(
        [
            ("Kept", "film"),
            ("Kept", "exact_duplicate"),
            ("Older", "duplicate_key"),
            ("Undated", "duplicate_key"),
            ("Newer, but too long", "impossible_runtime"),
            ("Keyless", "missing_key"),
            ("Keyless", "exact_duplicate"),
            ("Keyless too", "missing_key"),
            ("", "missing_title"),
            ("Too early", "impossible_year"),
            ("Backwards", "impossible_year"),
            ("No time at all", "impossible_runtime"),
            ("Unreadable", "film"),
        ]
    )


def test_many_repeated_keys_are_settled_like_few(spark: SparkSession, judged: DataFrame) -> None:
    frame = raw(spark, ROWS)
    single, rivals = films.split_repeated(films.parse(frame, None), None)
    joined = single.unionByName(films.settle_duplicates(rivals))

    def content(found: DataFrame) -> list[str]:
        return sorted(
            repr((row["row_hash"], row["verdict"], row["message"], row["verdict"] and row["raw_row"]))
            for row in found.collect()
        )

    assert content(joined) == content(judged)


def test_the_order_of_rows_does_not_matter(spark: SparkSession, judged: DataFrame) -> None:
    other = judge(spark, ROWS[::-1])
    survivors = [
        {row["row_hash"] for row in found.where("verdict is null").collect()} for found in (judged, other)
    ]
    assert survivors[0] == survivors[1]


def test_counts_are_those_of_the_tables(judged: DataFrame) -> None:
    counts = archive_tables.statistics(judged)
    assert counts.rows == len(ROWS)
    assert counts.by_verdict == {
        "missing_key": 2,
        "missing_title": 1,
        "impossible_year": 2,
        "impossible_runtime": 2,
        "duplicate_key": 3,
        "exact_duplicate": 2,
    }
    assert counts.keyless == 2
    assert counts.nulled == {"year": 1, "runtime": 1, "imdb_rating": 1, "updated_at": 1}
    tables = {
        "movies": archive_tables.movies(judged, VERSION, 1),
        "movie_ratings": archive_tables.movie_ratings(judged, VERSION, 1),
        "movie_genres": archive_tables.movie_genres(judged, VERSION, 1),
        "movie_people": archive_tables.movie_people(judged, VERSION, 1),
        "quarantined_rows": archive_tables.quarantined_rows(judged, None, VERSION, 1),
    }
    for table in ARCHIVE_TABLES[:-1]:
        found = rows_of(tables[table.name])
        assert len(found) == counts.table_rows[table.name], table.name
        assert tables[table.name].columns == list(table.column_names)
        keys_found = {tuple(row[name] for name in table.primary_key) for row in found}
        assert len(keys_found) == len(found)
        required = [column.name for column in table.columns if not column.nullable]
        assert all(row[name] is not None for row in found for name in required)
    people = [(row["role"], row["person"], row["position"]) for row in rows_of(tables["movie_people"])]
    assert people == [("director", "Ann", 1), ("cast", "Bob", 1), ("cast", "Cy", 2)]


def test_a_row_hash_tells_contents_apart_not_versions(spark: SparkSession, judged: DataFrame) -> None:
    other_version = Version("other", date(2026, 11, 19), "20261119T060000Z-0123456789ab", "e" * 64)
    changed = judge(spark, [(*ROWS[0][:1], "Kept!", *ROWS[0][2:])])

    def hashes(films_of: DataFrame, version: Version) -> set[str]:
        return {
            row["row_hash"]
            for row in archive_tables.movies(films_of, version, 1).select("row_hash").collect()
        }

    assert hashes(judged, VERSION) == hashes(judged, other_version)
    assert hashes(changed, VERSION).isdisjoint(hashes(judged, VERSION))


def test_films_are_hashed_by_python_as_rows_of_other_tables_are_by_spark(spark: SparkSession) -> None:
    rows = [
        {
            "movie_id": "1",
            "title": "Amélie 😀",
            "year": "2001–2004",
            "release_date": "25 Apr 2001",
            "runtime": "122 min",
            "genres": "Comedy, Romance",
            "budget": "10,000,000",
            "box_office": "$174.2M",
            "imdb_rating": "8.3",
            "popularity": "0.00001",
            "updated_at": "2026-11-18T20:15:00.123456+02:00",
            "overview": "Line\nline",
            "extra": '{"a": "b"}',
        },
        {"movie_id": "2", "title": "Nothing else", "budget": "0", "box_office": "0"},
        {"movie_id": "3", "title": "Nearly even", "budget": "28767189.50", "box_office": "28767189"},
    ]
    names = list(rows[0])
    frame = spark.createDataFrame(
        [tuple(row.get(name) for name in names) for row in rows],
        ", ".join(f"{name} string" for name in names),
    )
    parsed = films.parse(frame, [])
    found = parsed.select("row_hash", row_hash(hashed_columns(MOVIES)).alias("by_spark")).collect()
    assert len(found) == 3
    assert [row["row_hash"] for row in found] == [row["by_spark"] for row in found]


TRACKED = ("1", "Film", "1994", "142 min", "Drama, Crime", "Ann", "Bob, Cy", "9.2", "2026-11-02")


def with_values(**changes: str | None) -> tuple[str | None, ...]:
    return tuple({**dict(zip(COLUMNS, TRACKED, strict=True)), **changes}.values())


def test_only_what_versions_are_kept_of_changes_the_tracked_hash(spark: SparkSession) -> None:
    untracked = [{"imdb_rating": "9.3"}, {"updated_at": "2026-11-09"}, {"title": "Film\u00a0"}]
    tracked: list[dict[str, str | None]] = [
        {"title": "Film!"},
        {"year": "1995"},
        {"runtime": None},
        {"genres": "Crime, Drama"},
        {"genres": "Drama"},
        {"directors": "Bob", "cast": "Ann, Cy"},
        {"cast": "Cy, Bob"},
        {"cast": "Bob,Cy, Dee"},
        {"directors": None},
    ]
    variants = [{}, *untracked, *tracked]
    frame = judge(
        spark, [with_values(movie_id=f"{number:02}", **change) for number, change in enumerate(variants)]
    )
    found = [row["tracked_hash"] for row in frame.orderBy("movie_id").collect()]
    assert len(set(found[: len(untracked) + 1])) == 1
    assert len(set(found)) == 1 + len(tracked)


def test_rows_of_a_table_go_to_the_same_files_whatever_their_order(spark: SparkSession) -> None:
    rows = [(str(number), "Film", "1994", *([None] * 6)) for number in range(100)]

    def files(given: Sequence[tuple[str | None, ...]]) -> list[list[str]]:
        table = archive_tables.movies(judge(spark, given), VERSION, 3)
        placed = table.select(fn.spark_partition_id().alias("file"), "movie_id").collect()
        return [[row["movie_id"] for row in placed if row["file"] == file] for file in range(3)]

    assert files(rows) == files(rows[::-1])


@pytest.mark.parametrize(("rows", "files"), [(0, 0), (1, 1), (500_000, 1), (500_001, 2), (1_000_000, 2)])
def test_a_file_is_begun_for_every_half_million_rows(rows: int, files: int) -> None:
    assert file_count(rows) == files


def test_a_run_fails_unless_every_row_is_accounted_for(judged: DataFrame) -> None:
    counts = archive_tables.statistics(judged)
    marker = {
        "format_version": 1,
        "source": VERSION.source,
        "dt": "2026-11-18",
        "batch_id": VERSION.batch_id,
        "content_id": "0" * 64,
        "load_type": "full",
        "extracted_at": "2026-11-18T06:00:00Z",
        "row_count": len(ROWS),
        "rejected_count": 2,
        "columns": ["movie_id", "title"],
        "files": [],
    }
    batch = parse_batch(marker, "bucket")
    by_rule = quarantined_by_rule(counts, {"ragged_row": 2})
    assert sum(by_rule.values()) == 12
    reconcile(batch, counts, sum(by_rule.values()))
    with pytest.raises(ReconciliationError, match="17 rows"):
        reconcile(batch, counts, sum(by_rule.values()) - 1)
    with pytest.raises(InputMismatchError, match="the manifest says 16"):
        reconcile(parse_batch({**marker, "row_count": len(ROWS) + 1}, "bucket"), counts, 12)
