"""Profiles: what is wrong with one is said before anything is read, with the nearest name."""

from pathlib import Path

import pytest

from movie_platform.contracts.raw import raw_column_names
from movie_platform.settings import Settings
from movie_platform.sources.files.parameters import FilesParameters
from movie_platform.sources.profile import Profile
from movie_platform.sources.profiles import builtin_profile_names, load_profile, open_source
from movie_platform.sources.secrets_in_urls import holds_secret
from movie_platform.sources.source_errors import ProfileError, SourceNotFound

SQL = """
[source]
kind = "sql"
url = "sqlite:////data/movies.db"
table = "omdb"
key = ["imdbID"]
updated_at = "lastUpdated"

[columns]
title = "Title"
imdb_id = "imdbID"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def load(tmp_path: Path, settings: Settings, text: str, name: str = "my-films.toml") -> Profile:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return load_profile(str(path), settings=settings)


def test_a_profile_is_read_from_its_file_and_named_after_it(tmp_path: Path, settings: Settings) -> None:
    profile = load(tmp_path, settings, SQL)
    assert profile.name == "my-films"
    assert profile.key == ("imdbID",)
    assert profile.load_type == "full"
    assert profile.output_columns == ("movie_id", "imdb_id", "title", "updated_at", "extra")


def test_a_key_may_be_one_name(tmp_path: Path, settings: Settings) -> None:
    assert load(tmp_path, settings, SQL.replace('["imdbID"]', '"imdbID"')).key == ("imdbID",)


@pytest.mark.parametrize("name", builtin_profile_names())
def test_built_in_profiles_load_and_open(name: str, settings: Settings) -> None:
    profile = load_profile(name, settings=settings)
    source = open_source(profile, settings=settings)
    assert profile.name == name
    assert source.answers_as_of() is (profile.kind in ("demo", "files"))
    assert source.columns() == profile.output_columns
    assert str(settings.home) not in str(source.describe())


def test_the_built_in_files_profile_knows_every_column_of_the_contract(settings: Settings) -> None:
    assert load_profile("files", settings=settings).output_columns == raw_column_names()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('kind = "sql"', 'kind = "sqk"'), r"'sqk' is not a kind of source.*Did you mean 'sql'"),
        (('kind = "sql"', ""), r"\[source\] has no `kind`"),
        (('table = "omdb"', 'tabel = "omdb"'), r"unknown key 'tabel'\. Did you mean 'table'"),
        (('table = "omdb"', 'delimiter = ";"'), r"unknown key 'delimiter'"),
        (('table = "omdb"', ""), r"give either `table` or `query`"),
        (('table = "omdb"', 'table = "omdb"\nquery = "SELECT 1"'), r"give either `table` or `query`"),
        (("[columns]", "[colums]"), r"unknown table \[colums\]\. Did you mean 'columns'"),
        (('title = "Title"', 'tittle = "Title"'), r"'tittle' is not a column of the contract.*mean 'title'"),
        (('title = "Title"', 'movie_id = "Title"'), r"`movie_id` is made of `key`"),
        (('title = "Title"', 'extra = "Title"'), r"`extra` gathers what is not named"),
        (('title = "Title"', ""), r"no source column for `title`"),
        (('title = "Title"', "title = 3"), r"title must name one source column"),
        (
            ('title = "Title"', 'title = "Title"\nupdated_at = "other"'),
            r"updated_at is 'lastUpdated' in \[source\]",
        ),
        (('key = ["imdbID"]', "key = []"), r"key:"),
        (('key = ["imdbID"]', ""), r"no `key`"),
        (('key = ["imdbID"]', 'key = ["a", "a"]'), r"must name each source column once"),
        (
            ('key = ["imdbID"]', 'key = ["imdbID"]\nload_type = "half"'),
            r"load_type: Input should be 'full' or",
        ),
        (('key = ["imdbID"]', 'key = ["imdbID"]\nname = "My Films"'), r"'My Films' cannot be the name"),
        (
            ('key = ["imdbID"]', 'key = ["imdbID"]\noptional = ["titel"]'),
            r"optional names 'titel'.*mean 'title'",
        ),
        (("sqlite:////data/movies.db", "movies.db"), r"url: a URL begins with scheme://"),
        (("sqlite:////data/movies.db", "sqlite:////{hom}/x.db"), r"unknown placeholder \{hom\}.*mean 'home'"),
        (("[source]", "[source"), r"is not valid TOML"),
    ],
)
def test_a_wrong_profile_says_what_is_wrong(
    tmp_path: Path, settings: Settings, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(ProfileError, match=message):
        load(tmp_path, settings, SQL.replace(*change))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@db/films",
        "postgresql://db/films?user=me&password=hunter2",
        "mysql+pymysql://me:hunter%32@db/films",
    ],
)
def test_a_secret_that_is_written_is_refused_and_not_repeated(
    tmp_path: Path, settings: Settings, url: str
) -> None:
    with pytest.raises(ProfileError, match="a secret is written into the URL") as caught:
        load(tmp_path, settings, SQL.replace("sqlite:////data/movies.db", url))
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path, settings: Settings) -> None:
    text = SQL.replace('table = "omdb"', 'table = "omdb"\nuser = "me"\npassword = "hunter2"')
    with pytest.raises(ProfileError, match="password:") as caught:
        load(tmp_path, settings, text)
    assert "hunter2" not in str(caught.value)


def test_a_profile_that_is_not_there_is_missed_by_name(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(SourceNotFound, match=r"no profile 'dmeo'.*Did you mean 'demo'"):
        load_profile("dmeo", settings=settings)
    (tmp_path / "films.toml").write_text(SQL, "utf-8")
    with pytest.raises(SourceNotFound, match=r"no profile file .*Did you mean 'films.toml'"):
        load_profile(str(tmp_path / "flims.toml"), settings=settings)


@pytest.mark.parametrize("name", ["imdb", "omdb", "tmdb"])
def test_each_data_set_and_api_has_a_profile_of_its_own_kind(name: str, settings: Settings) -> None:
    assert load_profile(name, settings=settings).kind == name


@pytest.mark.parametrize(
    ("path", "written_as"),
    [
        ("a/*.csv", "csv"),
        ("a.CSV.gz", "csv"),
        ("s3://bucket/a.ndjson", "jsonl"),
        ("https://host/films.tsv.gz?version=3", "tsv"),
        ("x.parquet", "parquet"),
    ],
)
def test_the_format_is_told_by_the_ending(path: str, written_as: str) -> None:
    assert FilesParameters.model_validate({"path": path}).file_format == written_as


@pytest.mark.parametrize(
    "parameters",
    [
        {"path": "a/*"},
        {"path": ["a.csv", "b.json"]},
        {"path": "a.csv", "encoding": "utf-9"},
        {"path": "a.csv", "encoding": "hex"},
        {"path": "a.csv", "delimiter": "::"},
        {"path": "a.csv", "delimiter": "'", "quote": "'"},
        {"path": "a.json", "delimiter": ";"},
        {"path": "https://me:hunter2@host/a.csv"},
        {"path": ""},
        {"path": []},
    ],
)
def test_file_options_that_cannot_be_meant_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        FilesParameters.model_validate(parameters)


def test_secrets_in_urls_are_noticed() -> None:
    assert holds_secret("https://host/?api_key=x")
    assert not holds_secret("https://me@host/films.csv?version=3")
