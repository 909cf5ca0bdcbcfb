"""IMDb's data sets: what the four files say of a title becomes one row, within bounds, and no line is lost."""

import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.bench.imdb import profile_text
from movie_platform.bench.imdb_files import write_imdb_files
from movie_platform.raw_rows import RejectedRow
from movie_platform.settings import Settings
from movie_platform.sources.imdb.credits import CREDIT_COLUMNS, DIRECTOR, WRITER, lists_of_titles
from movie_platform.sources.profiles import load_profile, open_source, parse_profile
from movie_platform.sources.protocol import Source
from movie_platform.sources.source_errors import MalformedSource, ProfileError, SourceNotFound

DAY = date(2026, 11, 18)
BASICS = (
    "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres\n"
    "tt0000001\tmovie\tAlien\tAlien\t0\t1979\t\\N\t117\tHorror,Sci-Fi\n"
    'tt0000002\tmovie\t"Unclosed\t"Foo" Bar\t0\t\\N\t\\N\t\\N\t\\N\n'
    "tt10000003\tmovie\tAmélie\t\t0\t2001\t\\N\t122\tComedy\n"
    "tt0000004\ttvEpisode\tPilot\tPilot\t0\t1990\t\\N\t30\t\\N\n"
    "tt0000005\tmovie\tAdults\tAdults\t1\t1990\t\\N\t30\t\\N\n"
)
RATINGS = "tconst\taverageRating\tnumVotes\ntt0000001\t8.5\t1000000\ntt10000003\t8.30\t7\ntt9999999\t1.0\t5\n"
CREW = (
    "tconst\tdirectors\twriters\n"
    "tt0000001\tnm0000001\tnm0000003,nm10000002,nm0000001\n"
    "tt0000002\t\\N\t\\N\n"
    "tt10000003\tnm0000009\tnm0000009,nm0000001\n"
    "tt0000004\tnm0000001\t\\N\n"
)
NAMES = (
    "nconst\tprimaryName\tbirthYear\tdeathYear\tprimaryProfession\tknownForTitles\n"
    "nm0000001\tRidley Scott\t1937\t\\N\tproducer\ttt0000001\n"
    'nm10000002\tDan O\'Bannon, "Jr."\t1946\t2009\twriter\ttt0000001\n'
    "nm0000003\tRonald Shusett\t\\N\t\\N\twriter\ttt0000001\n"
)
TEXTS = {"basics": BASICS, "ratings": RATINGS, "crew": CREW, "names": NAMES}
Open = Callable[..., Source]


@pytest.fixture
def open_imdb(tmp_path: Path) -> Open:
    def opened(more: str = "", columns: str = "", **texts: str | bytes) -> Source:
        for name, text in {**TEXTS, **texts}.items():
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / f"{name}.tsv").write_bytes(data)
        profile = tmp_path / "imdb.toml"
        paths = "\n".join(f'{name} = "{name}.tsv"' for name in TEXTS)
        profile.write_text(
            f'[source]\nkind = "imdb"\n{paths}\nkey = "tconst"\n{more}\n'
            '[columns]\ntitle = "primaryTitle"\noriginal_title = "originalTitle"\ndirectors = "directors"\n'
            f'writers = "writers"\nimdb_rating = "averageRating"\nyear = "startYear"\n{columns}\n',
            "utf-8",
        )
        settings = Settings(home=tmp_path / "home")
        return open_source(load_profile(str(profile), settings=settings), settings=settings)

    return opened


def read(source: Source) -> tuple[dict[str, dict[str, str | None]], list[RejectedRow]]:
    """Rows by their key, and what was rejected."""
    batches = list(source.batches(DAY, None))
    assert all(tuple(batch.rows.schema.names) == source.columns() for batch in batches)
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    assert len({row["movie_id"] for row in rows}) == len(rows)
    return {row["movie_id"]: row for row in rows}, [row for batch in batches for row in batch.rejected]


def test_one_row_holds_what_the_four_files_say(open_imdb: Open) -> None:
    rows, rejected = read(open_imdb())
    assert rejected == []
    assert sorted(rows) == ["tt0000001", "tt0000002", "tt10000003"]
    alien = rows["tt0000001"]
    assert json.loads(str(alien.pop("extra"))) == {
        "directorIds": "nm0000001",
        "endYear": None,
        "genres": "Horror,Sci-Fi",
        "isAdult": "0",
        "numVotes": "1000000",
        "runtimeMinutes": "117",
        "titleType": "movie",
        "writerIds": "nm0000003,nm10000002,nm0000001",
    }
    assert alien == {
        "movie_id": "tt0000001",
        "title": "Alien",
        "original_title": "Alien",
        "year": "1979",
        "directors": '["Ridley Scott"]',
        "writers": '["Ronald Shusett","Dan O\'Bannon, \\"Jr.\\"","Ridley Scott"]',
        "imdb_rating": "8.5",
    }


def test_quotes_are_data_and_null_is_not_the_empty_text(open_imdb: Open) -> None:
    rows, _ = read(open_imdb())
    unclosed = rows["tt0000002"]
    assert (unclosed["title"], unclosed["original_title"], unclosed["year"]) == (
        '"Unclosed',
        '"Foo" Bar',
        None,
    )
    assert (unclosed["directors"], unclosed["writers"], unclosed["imdb_rating"]) == (None, None, None)
    amelie = rows["tt10000003"]
    assert (amelie["title"], amelie["original_title"], amelie["imdb_rating"]) == ("Amélie", "", "8.30")


def test_a_person_without_a_name_stays_among_the_identifiers(open_imdb: Open) -> None:
    amelie = read(open_imdb())[0]["tt10000003"]
    assert (amelie["directors"], amelie["writers"]) == (None, '["Ridley Scott"]')
    assert json.loads(str(amelie["extra"]))["directorIds"] == "nm0000009"


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ("types = []", ["tt0000001", "tt0000002", "tt0000004", "tt10000003"]),
        ('types = ["tvEpisode"]', ["tt0000004"]),
        ("adult = true", ["tt0000001", "tt0000002", "tt0000005", "tt10000003"]),
        ('types = ["video"]', []),
    ],
)
def test_types_and_adult_titles_are_filtered(open_imdb: Open, more: str, keys: list[str]) -> None:
    assert sorted(read(open_imdb(more))[0]) == keys


def test_a_line_that_is_no_row_is_rejected_with_its_number_and_the_rest_is_read(open_imdb: Open) -> None:
    rows, rejected = read(
        open_imdb(
            basics=BASICS.encode()
            + b"tt0000006\tmovie\tshort\ntt0000007\tmovie\tbad \xff\tx\t0\t\\N\t\\N\t\\N\t\\N\n"
            b"tt0000008\tmovie\tnul\x00\tx\t0\t\\N\t\\N\t\\N\t\\N\n",
            ratings=RATINGS + "tt0000002\t1.0\t2\t3\n",
            names=NAMES + "nm0000009\n",
        )
    )
    assert sorted(rows) == ["tt0000001", "tt0000002", "tt10000003"]
    assert sorted(
        (row.message.split(":")[0], row.line_number, row.code) for row in rejected if row.line_number
    ) == [
        ("basics.tsv", 7, "ragged_row"),
        ("basics.tsv", 8, "undecodable_row"),
        ("names.tsv", 5, "ragged_row"),
        ("ratings.tsv", 5, "ragged_row"),
    ]
    assert [row.code for row in rejected if row.line_number is None] == ["nul_byte"]
    assert next(row.raw_text for row in rejected if row.line_number == 7) == "tt0000006\tmovie\tshort"


def test_gzip_is_recognized_by_its_content_and_lines_may_end_as_on_windows(open_imdb: Open) -> None:
    plain, _ = read(open_imdb())
    packed, rejected = read(
        open_imdb(
            basics=gzip.compress(BASICS.encode()),
            crew=CREW.replace("\n", "\r\n"),
            names=gzip.compress(NAMES.encode()),
        )
    )
    assert packed == plain
    assert rejected == []


def test_gzip_that_is_cut_short_is_an_error_not_a_short_file(open_imdb: Open) -> None:
    lines = "".join(f"tt{n:07}\tmovie\tT{n * 7919}\tT\t0\t\\N\t\\N\t\\N\t\\N\n" for n in range(100, 60_000))
    with pytest.raises(MalformedSource):
        read(open_imdb(basics=gzip.compress((BASICS + lines).encode())[:-2000]))


def test_a_bare_carriage_return_is_an_error_not_a_lost_line(open_imdb: Open) -> None:
    line = "tt0000006\tmovie\tcr\rin\tx\t0\t\\N\t\\N\t\\N\t\\N\n"
    with pytest.raises(MalformedSource, match="carriage return"):
        read(open_imdb(basics=BASICS + line))


def test_a_wrong_column_stops_before_anything_is_read_with_the_nearest_name(open_imdb: Open) -> None:
    source = open_imdb(columns='imdb_votes = "numVote"')
    with pytest.raises(ProfileError, match=r"no column 'numVote'.*for imdb_votes\. Did you mean 'numVotes'"):
        source.batches(DAY, None)


def test_files_that_were_mixed_up_are_noticed(open_imdb: Open) -> None:
    with pytest.raises(MalformedSource, match=r"given as `crew`, has no column 'directors'.*right file"):
        open_imdb(crew=RATINGS).batches(DAY, None)


def test_a_column_that_imdb_adds_goes_to_extra(open_imdb: Open) -> None:
    basics = "".join(f"{line}\t{number}\n" for number, line in enumerate(BASICS.splitlines()))
    rows, _ = read(open_imdb(basics=basics.replace("genres\t0", "genres\tit's new")))
    assert json.loads(str(rows["tt0000001"]["extra"]))["it's new"] == "1"


def test_a_file_that_is_not_there_is_missed_by_name(tmp_path: Path, open_imdb: Open) -> None:
    source = open_imdb()
    (tmp_path / "crew.tsv").rename(tmp_path / "crews.tsv")
    with pytest.raises(SourceNotFound, match=r"crew\.tsv\. Did you mean 'crews\.tsv'"):
        source.batches(DAY, None)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('types = ["movies"]', r"'movies' is not a title type.*Did you mean 'movie'"),
        ('memory = "lots"', "memory is a whole number"),
        ("adults = true", r"unknown key 'adults'\. Did you mean 'adult'"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused(open_imdb: Open, more: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        open_imdb(more)


def test_published_addresses_know_only_the_present_and_files_what_a_person_says(
    tmp_path: Path, open_imdb: Open
) -> None:
    settings = Settings(home=tmp_path)
    published = load_profile("imdb", settings=settings)
    assert not open_source(published, settings=settings).answers_as_of()
    assert open_imdb().answers_as_of()


def test_memory_that_does_not_suffice_says_what_to_change_and_leaves_nothing_behind(
    tmp_path: Path, open_imdb: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spill"))
    (tmp_path / "spill").mkdir()
    with pytest.raises(ProfileError, match="`memory`"):
        read(open_imdb('memory = "1MB"'))
    assert list((tmp_path / "spill").iterdir()) == []


def test_generated_files_give_each_title_once_whatever_the_memory(tmp_path: Path) -> None:
    files = write_imdb_files(tmp_path, 3_000)
    text = profile_text(files)
    read_once = {}
    for memory in ("1GB", "200MB"):
        profile = parse_profile(
            text.replace("types = []", f'types = []\nmemory = "{memory}"'),
            default_name="i",
            folder=tmp_path,
            where="t",
        )
        read_once[memory] = read(open_source(profile, settings=Settings(home=tmp_path)))
    rows, rejected = read_once["1GB"]
    assert read_once["200MB"] == (rows, rejected)
    assert (len(rows), rejected) == (3_000, [])
    assert sum(row["imdb_rating"] is not None for row in rows.values()) in range(250, 550)


@st.composite
def credits_of_titles(
    draw: st.DrawFn,
) -> dict[str, tuple[list[tuple[str, str | None]], list[tuple[str, str | None]]]]:
    person = st.tuples(st.sampled_from(["nm1", "nm2", "nm3"]), st.none() | st.text('a,"\\[é', max_size=4))
    titles = draw(st.lists(st.integers(0, 30), unique=True, max_size=12))
    people = st.lists(person, max_size=4)
    return {f"tt{number:02}": (draw(people), draw(people)) for number in sorted(titles)}


@given(credits_of_titles(), st.integers(1, 9))
def test_lists_are_the_same_however_the_credits_are_cut_into_batches(
    titles: dict[str, tuple[list[tuple[str, str | None]], list[tuple[str, str | None]]]], size: int
) -> None:
    rows = [
        (title, role, person, name)
        for title, people in titles.items()
        for role in (DIRECTOR, WRITER)
        for person, name in people[role]
    ]
    types = (pa.string(), pa.int8(), pa.string(), pa.string())
    table = pa.table(
        [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(types)],
        names=CREDIT_COLUMNS,
    )
    found = {
        row.pop("tconst"): row
        for batch in lists_of_titles(iter(table.to_batches(max_chunksize=size)))
        for row in batch.to_pylist()
    }

    def names(people: list[tuple[str, str | None]]) -> list[str] | None:
        return [name for _, name in people if name is not None] or None

    def loaded(text: str | None) -> list[str] | None:
        return None if text is None else json.loads(text)

    assert {
        title: (loaded(row["directors"]), loaded(row["writers"]), row["directorIds"], row["writerIds"])
        for title, row in found.items()
    } == {
        title: (
            names(directors),
            names(writers),
            ",".join(person for person, _ in directors) or None,
            ",".join(person for person, _ in writers) or None,
        )
        for title, (directors, writers) in titles.items()
        if directors or writers
    }
