"""Files of every format through a profile, one or many, and what is wrong with them."""

import gzip
import http.server
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from movie_platform.raw_rows import RejectedRow
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.protocol import Source
from movie_platform.sources.source_errors import (
    MalformedSource,
    ProfileError,
    SourceAuthenticationError,
    SourceNotFound,
    SourceUnavailable,
)
from movie_platform_tests.hostile_bundles import FAULTS

DAY = date(2026, 11, 18)
Open = Callable[..., Source]


@pytest.fixture
def open_files(tmp_path: Path) -> Open:
    def opened(path: str, options: str = "", columns: str = 'title = "name"', key: str = '"id"') -> Source:
        profile = tmp_path / "films.toml"
        profile.write_text(
            f'[source]\nkind = "files"\npath = {json.dumps(path)}\nkey = {key}\n{options}\n[columns]\n{columns}\n',
            "utf-8",
        )
        settings = Settings(home=tmp_path / "home")
        return open_source(load_profile(str(profile), settings=settings), settings=settings)

    return opened


def read(source: Source, dt: date = DAY) -> tuple[list[dict[str, str | None]], list[RejectedRow]]:
    batches = list(source.batches(dt, None))
    assert batches
    assert all(batch.rows.schema == batches[0].rows.schema for batch in batches)
    assert tuple(batches[0].rows.schema.names) == source.columns()
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    return rows, [row for batch in batches for row in batch.rejected]


def test_files_of_a_glob_are_read_in_order_whatever_the_order_of_their_columns(
    tmp_path: Path, open_files: Open
) -> None:
    (tmp_path / "b.csv").write_text("name,id\nB,2\n", "utf-8")
    (tmp_path / "a.csv").write_text("id,name,x\n1,A,\n", "utf-8")
    rows, rejected = read(open_files("*.csv"))
    assert rows == [
        {"movie_id": "1", "title": "A", "extra": '{"x":""}'},
        {"movie_id": "2", "title": "B", "extra": None},
    ]
    assert rejected == []


def test_a_path_may_hold_the_date(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "2026-11-18").mkdir()
    (tmp_path / "2026-11-18" / "a.csv").write_text("id,name\n1,A\n", "utf-8")
    source = open_files("{dt}/*.csv")
    assert read(source)[0][0]["title"] == "A"
    with pytest.raises(SourceNotFound, match=r"2026-11-19/\*\.csv"):
        source.batches(date(2026, 11, 19), None)


def test_every_rejected_row_names_its_file_and_line(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1\n", "utf-8")
    (tmp_path / "b.csv").write_text("id,name\n1,B\n2\n", "utf-8")
    _, rejected = read(open_files("*.csv"))
    assert [(row.line_number, row.code, row.message.split(":")[0]) for row in rejected] == [
        (2, "ragged_row", "a.csv"),
        (3, "ragged_row", "b.csv"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252", "mac_roman"])
def test_encodings_are_found_or_declared(tmp_path: Path, open_files: Open, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("id,name\n1,Été à la plage\n2,Les Misérables\n".encode(encoding))
    for options in ("", f'encoding = "{encoding}"'):
        rows, rejected = read(open_files("a.csv", options))
        assert [row["title"] for row in rows] == ["Été à la plage", "Les Misérables"]
        assert rejected == []


def test_gzip_is_recognized_by_its_content(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"id,name\n1,A\n"))
    assert read(open_files("a.csv"))[0][0]["title"] == "A"


def test_gzip_that_is_cut_short_is_an_error_not_a_short_file(tmp_path: Path, open_files: Open) -> None:
    content = "id,name\n" + "".join(f"{n},T{n * 7919}\n" for n in range(60_000))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(content.encode())[:-1000])
    with pytest.raises(MalformedSource, match="cut short or damaged"):
        read(open_files("a.csv.gz", 'encoding = "utf-8"'))


def write_zip(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)


def test_a_zip_with_one_file_is_that_file_whatever_it_is_called(tmp_path: Path, open_files: Open) -> None:
    write_zip(tmp_path / "films.csv.zip", export=b"id,name\n1,A\n")
    assert read(open_files("films.csv.zip"))[0][0]["title"] == "A"


def test_the_files_of_a_zip_that_have_the_format_are_read_and_named(tmp_path: Path, open_files: Open) -> None:
    write_zip(
        tmp_path / "films.zip",
        b_csv=b"id,name\n2,B\n3\n",
        folder__a_csv_gz=gzip.compress(b"id,name\n1,A\n"),
        README_txt=b"about the files",
    )
    rows, rejected = read(open_files("films.zip", 'format = "csv"'))
    assert sorted((row["movie_id"], row["title"]) for row in rows) == [("1", "A"), ("2", "B")]
    assert [(row.line_number, row.message.split(":")[0]) for row in rejected] == [(3, "films.zip/b.csv")]
    with pytest.raises(MalformedSource, match=r"holds no file whose name ends.*'README\.txt'"):
        open_files("films.zip", 'format = "jsonl"').batches(DAY, None)


def test_parquet_in_a_zip_is_read(tmp_path: Path, open_files: Open) -> None:
    pq.write_table(pa.table({"id": [2], "name": ["B"]}), tmp_path / "b.parquet")
    write_zip(tmp_path / "b.parquet.zip", b_parquet=(tmp_path / "b.parquet").read_bytes())
    assert read(open_files("b.parquet.zip"))[0][0]["title"] == "B"


@pytest.mark.parametrize(
    "fault", ["bomb_by_ratio", "path_with_dots", "symlink", "encrypted", "truncated", "overlapping_entries"]
)
def test_a_hostile_zip_is_refused(tmp_path: Path, open_files: Open, fault: str) -> None:
    [make] = [known.make for known in FAULTS if known.name == fault]
    (tmp_path / "films.zip").write_bytes(make())
    with pytest.raises(MalformedSource, match="is a ZIP file that is not read"):
        open_files("films.zip", 'format = "csv"').batches(DAY, None)


def test_a_zip_whose_data_is_damaged_is_an_error_not_a_short_file(tmp_path: Path, open_files: Open) -> None:
    content = "id,name\n" + "".join(f"{n},T{n * 7919}\n" for n in range(200_000))
    write_zip(tmp_path / "a.zip", a_csv=content.encode())
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(MalformedSource, match="is a ZIP file that is not read"):
        read(open_files("a.zip", 'format = "csv"\nencoding = "utf-8"'))


def test_a_json_array_of_objects_with_lists_keeps_the_lists_as_json(tmp_path: Path, open_files: Open) -> None:
    films = [
        {"title": "After Dark in Central Park", "year": 1900, "cast": [], "genres": []},
        {"title": 'The "Quoted" One', "year": 1902, "cast": ["A, Jr.", "B"], "genres": ["Short", "Drama"]},
        {"title": "Rope", "year": 1948, "cast": ["C"], "genres": ["Drama"], "href": None, "extract": "…"},
    ]
    (tmp_path / "movies.json").write_text(json.dumps(films, ensure_ascii=False, indent=1), "utf-8")
    columns = 'title = "title"\nyear = "year"\ncast = "cast"\ngenres = "genres"'
    rows, rejected = read(open_files("movies.json", columns=columns, key='["title", "year"]'))
    assert rejected == []
    assert [(row["movie_id"], row["cast"], row["genres"], row["extra"]) for row in rows] == [
        ("After Dark in Central Park|1900", "[]", "[]", None),
        ('The "Quoted" One|1902', '["A, Jr.","B"]', '["Short","Drama"]', None),
        ("Rope|1948", '["C"]', '["Drama"]', '{"extract":"…","href":null}'),
    ]


def test_a_tsv_as_imdb_writes_it_is_read_without_quoting(tmp_path: Path, open_files: Open) -> None:
    text = 'tconst\tprimaryTitle\tstartYear\ntt0000001\t"Unclosed\t1894\ntt10000002\tB\t\\N\n'
    (tmp_path / "title.basics.tsv.gz").write_bytes(gzip.compress(text.encode()))
    columns = 'title = "primaryTitle"\nyear = "startYear"'
    rows, _ = read(open_files("title.basics.tsv.gz", 'null_values = ["\\\\N"]', columns, '"tconst"'))
    assert [(row["movie_id"], row["title"], row["year"]) for row in rows] == [
        ("tt0000001", '"Unclosed', "1894"),
        ("tt10000002", "B", None),
    ]


def test_a_semicolon_file_read_with_commas_suggests_the_delimiter(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_text("id;name\n1;A\n", "utf-8")
    with pytest.raises(ProfileError, match=r"Is the delimiter ';'\? Set delimiter = \";\""):
        open_files("a.csv").batches(DAY, None)
    assert read(open_files("a.csv", 'delimiter = ";"'))[0][0]["title"] == "A"


def test_null_values_are_what_the_profile_says(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.tsv").write_text('id\tname\ttagline\n1\t"Foo" Bar\t\\N\n', "utf-8")
    rows, _ = read(open_files("a.tsv", 'null_values = ["\\\\N"]'))
    assert rows == [{"movie_id": "1", "title": '"Foo" Bar', "extra": '{"tagline":null}'}]


def test_a_wrong_column_stops_before_anything_is_read(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,A\n", "utf-8")
    (tmp_path / "b.csv").write_text("id,nam\n1,A\n", "utf-8")
    with pytest.raises(ProfileError, match=r"b\.csv: There is no column 'name'.*Did you mean 'nam'"):
        open_files("*.csv").batches(DAY, None)


def test_an_optional_column_may_be_missing(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,A\n", "utf-8")
    source = open_files("a.csv", 'optional = ["year"]', 'title = "name"\nyear = "year"')
    assert read(source)[0] == [{"movie_id": "1", "title": "A", "year": None, "extra": None}]


def test_a_mapped_column_that_is_there_twice_is_an_error(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_text("id,name,name\n1,A,B\n", "utf-8")
    with pytest.raises(MalformedSource, match="more than one column 'name'"):
        open_files("a.csv").batches(DAY, None)


def test_other_columns_that_are_there_twice_are_both_kept(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_text("id,name,x,x\n1,A,B,C\n", "utf-8")
    assert read(open_files("a.csv"))[0][0]["extra"] == '{"x":"B","x (4)":"C"}'


def test_an_empty_file_among_others_is_rejected_and_stops_nothing(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.csv").write_bytes(b"")
    (tmp_path / "b.csv").write_text("id,name\n1,B\n", "utf-8")
    (tmp_path / "c.csv").write_text("id,name\n", "utf-8")
    rows, rejected = read(open_files("*.csv"))
    assert [row["title"] for row in rows] == ["B"]
    assert [(row.line_number, row.code, row.raw_text) for row in rejected] == [(1, "empty_file", "")]


def test_json_numbers_stay_text_and_unnamed_keys_go_to_extra(tmp_path: Path, open_files: Open) -> None:
    text = '[{"id": 1, "name": 1776, "cast": ["A", "B"]},\n {"id": 2.50, "name": "X", "new": {"k": null}}]'
    (tmp_path / "a.json").write_text(text, "utf-8")
    rows, _ = read(open_files("a.json"))
    assert rows == [
        {"movie_id": "1", "title": "1776", "extra": '{"cast":"[\\"A\\",\\"B\\"]"}'},
        {"movie_id": "2.50", "title": "X", "extra": '{"new":"{\\"k\\":null}"}'},
    ]


def test_a_key_that_only_a_late_object_has_is_found(tmp_path: Path, open_files: Open) -> None:
    lines = ['{"id": 1}'] * 6_000 + ['{"id": 2, "name": "late"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), "utf-8")
    rows, _ = read(open_files("a.jsonl"))
    assert len(rows) == 6_001
    assert rows[-1]["title"] == "late"


def test_a_key_that_no_object_has_is_an_error(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "Name": "A"}\n', "utf-8")
    with pytest.raises(ProfileError, match=r"no column 'name'.*Did you mean 'Name'"):
        open_files("a.jsonl").batches(DAY, None)


def test_parquet_of_many_types_comes_as_text(tmp_path: Path, open_files: Open) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2, 3]),
            "name": pa.array(["A", None, ""]).dictionary_encode(),
            "when": pa.array([0, None, 1], pa.timestamp("ms", "UTC")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    rows, _ = read(open_files("a.parquet"))
    assert rows == [
        {"movie_id": "1", "title": "A", "extra": '{"when":"1970-01-01 00:00:00.000Z"}'},
        {"movie_id": "2", "title": None, "extra": '{"when":null}'},
        {"movie_id": "3", "title": "", "extra": '{"when":"1970-01-01 00:00:00.001Z"}'},
    ]


def test_what_is_no_parquet_is_an_error(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(MalformedSource, match="not a Parquet file"):
        open_files("a.parquet").batches(DAY, None)


def test_files_that_are_not_there_are_missed_by_name(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "films.csv").write_text("id,name\n", "utf-8")
    with pytest.raises(SourceNotFound, match=r"flims\.csv\. Did you mean 'films\.csv'"):
        open_files("flims.csv").batches(DAY, None)
    with pytest.raises(SourceNotFound, match=r"no file matches .*\*\.tsv"):
        open_files("*.tsv").batches(DAY, None)
    with pytest.raises(SourceNotFound, match="is a folder"):
        open_files(str(tmp_path), 'format = "csv"').batches(DAY, None)


def test_a_file_may_have_brackets_in_its_name(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "films [1].csv").write_text("id,name\n1,A\n", "utf-8")
    assert read(open_files("films [1].csv"))[0][0]["title"] == "A"


def test_an_address_of_an_unknown_kind_is_refused(open_files: Open) -> None:
    with pytest.raises(ProfileError, match=r"not gs://"):
        open_files("gs://bucket/films.csv").batches(DAY, None)


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # pyright: ignore[reportArgumentType] - socketserver's own

        def do_GET(self) -> None:
            if self.path == "/secret.csv":
                self.send_error(403)
            elif self.path == "/cut.csv":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"id,name\n1,A\n")
            else:
                super().do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_files_behind_a_web_address_are_read(tmp_path: Path, open_files: Open, web_server: str) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,name\n1,A\n"))
    pq.write_table(pa.table({"id": [2], "name": ["B"]}), tmp_path / "b.parquet")
    assert read(open_files(f"{web_server}/a.csv.gz"))[0][0]["title"] == "A"
    assert read(open_files(f"{web_server}/b.parquet"))[0][0]["title"] == "B"
    write_zip(tmp_path / "c.csv.zip", c_csv=b"id,name\n3,C\n")
    assert read(open_files(f"{web_server}/c.csv.zip"))[0][0]["title"] == "C"


def test_faults_of_a_web_address_are_told_apart(open_files: Open, web_server: str) -> None:
    with pytest.raises(SourceNotFound, match="HTTP 404"):
        open_files(f"{web_server}/nope.csv").batches(DAY, None)
    with pytest.raises(SourceAuthenticationError, match="HTTP 403"):
        open_files(f"{web_server}/secret.csv").batches(DAY, None)
    with pytest.raises(SourceUnavailable):
        read(open_files(f"{web_server}/cut.csv"))
    with pytest.raises(SourceUnavailable):
        open_files("http://127.0.0.1:1/a.csv").batches(DAY, None)
