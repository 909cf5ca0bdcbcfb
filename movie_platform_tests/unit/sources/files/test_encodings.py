"""Which encoding a file is taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.sources.files.encodings import detect_encoding

FILMS = (
    "id,title,cast,plot\n"
    "1,Amélie,Audrey Tautou,À Montmartre – une jeune serveuse décide de changer la vie des autres\n"
    "2,Léon,Jean Reno,L’histoire d’un tueur à gages\n"
    "3,Das weiße Band,Ulrich Tukur,“Übermäßig” streng: früher Schnee fällt\n"
    "4,El espíritu de la colmena,Fernando Fernán Gómez,¿Qué pasó? Una niña española\n"
    "5,Låt den rätte komma in,Kåre Hedebrant,På ett söndagskväll\n"
)


@pytest.mark.parametrize(
    ("written_as", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_real_text_is_recognized(written_as: str, found: str) -> None:
    assert detect_encoding([FILMS.encode(written_as)]) == found


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
@pytest.mark.parametrize("line", range(1, 6))
def test_a_line_of_accents_is_enough(encoding: str, line: int) -> None:
    text = FILMS.splitlines()[line]
    assert text.encode(encoding).decode(detect_encoding([text.encode(encoding)])) == text


def test_latin_1_reads_the_same_as_what_is_found() -> None:
    text = "Fräulein Smillas Gespür für Schnee, señor, garçon, Ærø, Ísland\n"
    assert text.encode("latin-1").decode(detect_encoding([text.encode("latin-1")])) == text


def test_utf_8_with_a_few_broken_rows_stays_utf_8() -> None:
    assert detect_encoding([FILMS.encode() * 3 + "Amélie\n".encode("latin-1")]) == "utf-8"


def test_plain_ascii_is_utf_8() -> None:
    assert detect_encoding([b"id,title\n1,A\n"]) == "utf-8"
    assert detect_encoding([]) == "utf-8"


def test_accents_far_down_the_file_are_found() -> None:
    assert detect_encoding([b"1,plain\n" * 100_000] * 3 + [FILMS.encode("cp1252")]) == "cp1252"


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_any_bytes_have_an_answer(chunks: list[bytes]) -> None:
    b"".decode(detect_encoding(chunks))


@given(st.text(), st.integers(1, 5))
def test_utf_8_is_recognized_however_it_is_cut(text: str, size: int) -> None:
    data = b"plain text, long enough to tell \n" * 3 + text.encode("utf-8", "replace")
    found = detect_encoding(data[start : start + size] for start in range(0, len(data), size))
    assert found == "utf-8"
