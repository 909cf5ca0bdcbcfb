"""What the transform makes of single values: each parser against examples, and against properties of many values."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue_scripts import dates, lists, numbers
from glue_scripts.memo import Memo
from glue_scripts.text import clean_key, clean_line, clean_lines
from glue_scripts.titles import title_sort_key

Parser = Callable[[str | None], Any]


def partial_date(text: str | None) -> str | None:
    """The first day and the precision of a date in one value: `1994-10-01 month`."""
    iso = dates.partial_date(text)
    day = dates.first_day(iso)
    return None if iso is None or day is None else f"{day} {dates.precision(iso)}"


def listed(text: str | None) -> list[str] | None:
    """The items of a raw list."""
    return lists.items(text, clean_line(text))


def names(text: str) -> list[str]:
    """The names in a text of ours: separated by semicolons, none in an empty text."""
    return [name for name in text.split(";") if name]


def without_credits(text: str | None) -> list[str] | None:
    return None if text is None else lists.without_credits(names(text), text)


def joined(text: str | None) -> str | None:
    return None if text is None else lists.joined(names(text), text)


@dataclass(frozen=True)
class Examples:
    parse: Parser
    expected: Mapping[str, Any]


def _decimals(texts: Mapping[str, str | None]) -> dict[str, Decimal | None]:
    return {text: None if number is None else Decimal(number) for text, number in texts.items()}


EXAMPLES = {
    "null_markers": Examples(
        clean_line,
        {
            **dict.fromkeys(("", "   ", "\u00a0", "N/A", "n/a", " N/A ", "\\N", "\\n", "\u200b")),
            **{text: text for text in ("NA", "None", "Null", "-", "0", "N/A?", "M\\N")},
        },
    ),
    "spaces_and_control_characters": Examples(
        clean_line,
        {
            "  The\tLong \n Goodbye ": "The Long Goodbye",
            "The\u00a0Long\u00a0 Goodbye": "The Long Goodbye",
            "\ufeffThe\u2003Long\u3000Goodbye": "The Long Goodbye",
            "Good\u200bbye\u0007": "Goodbye",
            "Line one\r\nline two\u2028line three": "Line one line two line three",
            **dict.fromkeys(("Title\n", "Title\r\n", "\nTitle\u0085", "Title\u2028"), "Title"),
            "Amélie\n": "Amélie",
            "N/A\n": None,
        },
    ),
    "html_entities": Examples(
        clean_line,
        {
            "Tom &amp; Jerry": "Tom & Jerry",
            "Am&eacute;lie": "Amélie",
            "Am&#233;lie": "Amélie",
            "Am&#xE9;lie": "Amélie",
            "&quot;Crocodile&quot; Dundee": '"Crocodile" Dundee',
            "One&nbsp;&nbsp;Two": "One Two",
            "&#128512;": "😀",
            # The number of a control character means Windows-1252, as in browsers.
            "1967&#150;1987": "1967–1987",
            # Once, not again and again.
            "&amp;amp;": "&amp;",
            "AT&T": "AT&T",
            "Q&A; &bogus; &#0; &#xD800;": "Q&A; &bogus; &#0; &#xD800;",
        },
    ),
    "mojibake": Examples(
        clean_line,
        {
            "AmÃ©lie": "Amélie",
            "LÃ©on: The Professional": "Léon: The Professional",
            "Donâ€™t Look Now": "Don’t Look Now",
            "Ã…dalen 31": "Ådalen 31",
            "Â¡Three Amigos!": "¡Three Amigos!",
            "七人の侍".encode().decode("latin-1"): "七人の侍",
            # Right as they are, or not certain.
            "Amélie": "Amélie",
            "naïve Ångström": "naïve Ångström",
            "MANHÃ…": "MANHÃ…",
            "« CAFÉ»": "« CAFÉ»",
            "AmÃ©lie ☃": "AmÃ©lie ☃",
            "七人の侍": "七人の侍",
        },
    ),
    "text_of_several_lines": Examples(
        clean_lines,
        {
            " One  line \r\n another\u2028third \n\n\n\n last ": "One line\nanother\nthird\n\nlast",
            "Tom &amp; Jerry\n": "Tom & Jerry",
            "\n \n": None,
            "N/A": None,
        },
    ),
    "keys": Examples(
        clean_key,
        {
            " 12 ": "12",
            "\ufeff12\u00a0": "12",
            "a  b": "a  b",
            "a&amp;b": "a&amp;b",
            "AmÃ©lie": "AmÃ©lie",
            "x\\|y|z": "x\\|y|z",
            **dict.fromkeys(("", "  ", "N/A", "\\N")),
        },
    ),
    "runtimes": Examples(
        numbers.runtime_minutes,
        {
            **dict.fromkeys(("142", "142 min", "142 mins.", "142 minutes", "142.0", "2h 22m"), 142),
            **dict.fromkeys(("2 hrs 22 min", "2 hours, 22 minutes", "PT2H22M", "PT142M"), 142),
            **dict.fromkeys(("2:22:00", "PT2H22M30S"), 142),
            "1h": 60,
            "103.0": 103,
            "90.5": 91,
            "1,440 min": 1440,
            # In range or not is for a rule to say.
            "0": 0,
            "-5 min": -5,
            "99999999 min": 99999999,
            **dict.fromkeys(("soon", "two hours", "PT", "h", "min", "12 parsecs", "1h 2h", "9" * 16)),
        },
    ),
    "first_years": Examples(
        numbers.first_year,
        {
            **dict.fromkeys(("1994", "(1994)", "1994.0"), 1994),
            **dict.fromkeys((f"1967{dash}1987" for dash in "-‐‑‒–—―−"), 1967),
            **dict.fromkeys(("1967–87", "1967 – 1987", "1967–", "(1967–1987)"), 1967),
            "0": 0,
            "-44": -44,
            "30000": 30000,
            **dict.fromkeys(("nineteen", "1994-1995-1996", "1994/95", "1994.5", "9" * 10)),
        },
    ),
    "last_years": Examples(
        numbers.last_year,
        {
            **dict.fromkeys((f"1967{dash}1987" for dash in "-‐‑‒–—―−"), 1987),
            **dict.fromkeys(("1967–87", "(1967 – 1987)"), 1987),
            **dict.fromkeys(("1994", "1967–", "1994-1995-1996", "nineteen")),
        },
    ),
    "money": Examples(
        numbers.money,
        _decimals(
            {
                "$28,767,189": "28767189.00",
                "$ 28,767,189.50": "28767189.50",
                "28767189": "28767189.00",
                "63000000.0": "63000000.00",
                "5.16M": "5160000.00",
                "$5.16m": "5160000.00",
                "$1.2 billion": "1200000000.00",
                "12K": "12000.00",
                "USD 5,000": "5000.00",
                "US$5,000": "5000.00",
                "5,000 dollars": "5000.00",
                "$25,000,000 (estimated)": "25000000.00",
                "1.5e+7": "15000000.00",
                "0.005": "0.01",
                "0": "0.00",
                "999,999,999,999,999.99": "999999999999999.99",
                **dict.fromkeys(
                    ("€5,000", "£5M", "5,000 GBP", "$1-2 million", "-5", "1,23,456", "$", "free")
                ),
                **dict.fromkeys(("1.234.567", "9" * 16, "999999999999999 billion")),
            }
        ),
    ),
    "counts": Examples(
        numbers.count,
        {
            **dict.fromkeys(("1234", "1,234", "1234.0", "1 234", "1,234 votes", "1.234K"), 1234),
            "12K": 12_000,
            "1.2M": 1_200_000,
            "0": 0,
            "2.5e+06": 2_500_000,
            **dict.fromkeys(("1.5", "-3", "many", "12,34", "K", "9" * 16, "999999999999999 billion")),
        },
    ),
    "measures": Examples(
        numbers.measure,
        _decimals({"12.34565": "12.3457", "7": "7.0000", **dict.fromkeys(("-1", "1,5", "high"))}),
    ),
    "ratings_out_of_10": Examples(
        partial(numbers.rating, out_of=10),
        _decimals(
            {
                **dict.fromkeys(("9.2/10", "9.2", "9,2", "9.2 / 10", "9.2 out of 10", "92/100"), "92.00"),
                "91%": "91.00",
                "91 percent": "91.00",
                "82/100": "82.00",
                "4.5/5": "90.00",
                "1/3": "33.33",
                "2/3": "66.67",
                "10": "100.00",
                "0": "0.00",
                **dict.fromkeys(("11", "11/10", "101%", "-1", "5/0", "9.2/", "A+", "9.2.1", "★★★")),
            }
        ),
    ),
    "ratings_out_of_100": Examples(
        partial(numbers.rating, out_of=100),
        _decimals({"82": "82.00", "9.2": "9.20", "9.2/10": "92.00", "91%": "91.00", "100.01": None}),
    ),
    "dates": Examples(
        partial_date,
        {
            **dict.fromkeys(
                (
                    *("14 Oct 1994", "14 October 1994", "14-Oct-1994", "14th of October 1994"),
                    *("October 14, 1994", "Oct. 14th, 1994", "Fri, 14 Oct 1994", "14 October 1994 (USA)"),
                    *("1994-10-14", "1994/10/14", "1994.10.14", "19941014", "14/10/1994", "10/14/1994"),
                    *("1994-10-14T20:15:00Z", "1994-10-14 20:15:00.123+02:00"),
                ),
                "1994-10-14 day",
            ),
            **dict.fromkeys(
                ("Oct 1994", "October 1994", "October, 1994", "1994-10", "1994-10-00", "0 Oct 1994"),
                "1994-10-01 month",
            ),
            **dict.fromkeys(("1994", "1994.0", "1994-00-00"), "1994-01-01 year"),
            "29 Feb 2000": "2000-02-29 day",
            "1 May 1994": "1994-05-01 day",
            "Sept 1994": "1994-09-01 month",
            # May be April or May.
            "04/05/1994": None,
            **dict.fromkeys(
                ("1994-02-30", "29 Feb 1900", "31 April 1994", "1994-13", "1994-13-01", "19941332")
            ),
            **dict.fromkeys(("0000-00-00", "0000")),
            **dict.fromkeys(("soon", "Octember 1994", "14.10.94", "1994-1", "1994-10-14x")),
        },
    ),
    "timestamps": Examples(
        lambda text: None if (moment := dates.timestamp(text)) is None else f"{moment:%F %T.%f}",
        {
            **dict.fromkeys(
                (
                    *("2026-11-18T20:15:00Z", "2026-11-18 20:15:00", "2026-11-18 20:15", "2026-11-18T20:15Z"),
                    *("2026-11-18T22:15:00+02:00", "2026-11-18 22:15:00+02", "2026-11-18T15:15:00-0500"),
                    "2026-11-18 20:15:00 UTC",
                ),
                "2026-11-18 20:15:00.000000",
            ),
            "2026-11-18T20:15:00.123456Z": "2026-11-18 20:15:00.123456",
            "2026-11-18T20:15:00.1234567Z": "2026-11-18 20:15:00.123456",
            "2026-11-18 9:15": "2026-11-18 09:15:00.000000",
            "2026-11-18": "2026-11-18 00:00:00.000000",
            "18 Nov 2026": "2026-11-18 00:00:00.000000",
            **dict.fromkeys(("2026-11-18 20:15+19:00", "2026-11-18 20:15+01:60", "2026-11-18 24:00")),
            **dict.fromkeys(("2026-11", "2026-11-31", "2026-11-18 25:00", "1850-01-01", "2500-01-01", "now")),
        },
    ),
    "lists": Examples(
        listed,
        {
            **{
                text: ["Crime", "Drama"]
                for text in (
                    *("Crime, Drama", "Crime,Drama", " Crime , Drama,", "Crime|Drama", "Crime | Drama"),
                    *("Crime, Drama, Crime", "Crime, N/A, Drama", '["Crime", "Drama"]'),
                    '[{"id": 80, "name": "Crime"}, {"id": 18, "name": "Drama"}]',
                )
            },
            "Drama": ["Drama"],
            "['Crime', 'Drama']": ["Crime", "Drama"],
            "[{'id': 35, 'name': \"Children's\"}, {'id': 18, 'name': 'Drama'}]": ["Children's", "Drama"],
            '[1984, "12.50", true, {"id": 1}]': ["1984", "12.50", "true"],
            "['Crime', Drama]": ["['Crime'", "Drama]"],
            "A [sic], B)": ["A [sic]", "B)"],
            # What separates is the pipe, where there is one.
            "Sci-Fi, Fantasy|Drama": ["Sci-Fi, Fantasy", "Drama"],
            "Sammy Davis, Jr., Dean Martin": ["Sammy Davis, Jr.", "Dean Martin"],
            "Acme, Inc., Other Films": ["Acme, Inc.", "Other Films"],
            "A. Writer (story, idea), B. Writer": ["A. Writer (story, idea)", "B. Writer"],
            'Dwayne "The Rock" Johnson, Am&eacute;lie': ['Dwayne "The Rock" Johnson', "Amélie"],
            '["Smith, John", "\\"Weird Al\\" Yankovic", "&quot;B&quot;", null, "N/A"]': [
                "Smith, John",
                '"Weird Al" Yankovic',
                '"B"',
            ],
            "[]": [],
            "N/A": None,
            "": None,
        },
    ),
    "writers": Examples(
        without_credits,
        {
            "A. Writer (story, idea);B. Writer (screenplay);A. Writer (novel)": ["A. Writer", "B. Writer"],
            "John Smith (II);John Smith": ["John Smith (II)", "John Smith"],
        },
    ),
    "joined_lists": Examples(
        joined,
        {"English;French": "English|French", "[A|B;C]": "[A/B|C]", "": None},
    ),
    "title_sort_keys": Examples(
        title_sort_key,
        {
            "The Godfather": "godfather",
            "A Bug's Life": "bug's life",
            "An Education": "education",
            "Amélie": "amelie",
            "Über Ærø Straße": "uber aero strasse",
            "Łódź": "lodz",
            # Not articles, or nothing but one.
            **{title: title.lower() for title in ("Theodora", "Die Hard", "Another Day", "A", "The")},
            "七人の侍": "七人の侍",
        },
    ),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_value_is_parsed_as_its_example_says_and_null_stays_null(kind: str) -> None:
    parse = EXAMPLES[kind].parse
    expected = {**EXAMPLES[kind].expected, None: None}
    found = {text: parse(text) for text in expected}
    assert found == expected
    assert {text: type(value) for text, value in found.items()} == {
        text: type(value) for text, value in expected.items()
    }


def test_every_rating_out_of_ten_is_exactly_ten_times_as_much_out_of_a_hundred() -> None:
    scores = [
        *(Decimal(tenths).scaleb(-1) for tenths in range(101)),
        *(Decimal(hundredths).scaleb(-2) for hundredths in range(1001)),
    ]
    for score in scores:
        expected = (score * 10).quantize(Decimal("0.01"))
        assert numbers.rating(f"{score}/10", 100) == expected
        assert numbers.rating(str(score), 10) == expected


@given(amount=st.decimals(min_value=0, max_value=10**15 - 1, places=2), votes=st.integers(0, 10**15 - 1))
def test_a_number_with_thousands_separators_is_that_number(amount: Decimal, votes: int) -> None:
    assert numbers.money(f"${amount:,}") == amount
    assert numbers.count(f"{votes:,}") == votes


@given(day=st.dates())
def test_a_date_is_itself_however_it_is_written(day: date) -> None:
    written = (day.isoformat(), f"{day.day} {day:%b} {day.year:04}", f"{day:%B} {day.day}, {day.year:04}")
    assert [partial_date(text) for text in written] == [f"{day.isoformat()} day"] * len(written)


@given(
    instant=st.datetimes(datetime(1901, 1, 1), datetime(2198, 12, 31), timezones=st.timezones())  # noqa: DTZ001
)
def test_a_point_in_time_is_itself_whatever_its_zone(instant: datetime) -> None:
    whole_minutes = instant.replace(fold=0)
    offset = whole_minutes.utcoffset()
    if offset is not None and not offset.total_seconds() % 60:
        assert dates.timestamp(whole_minutes.isoformat()) == whole_minutes.astimezone(UTC)


# What looks like UTF-8 that was read as Latin-1 or Windows-1252 may be repaired; without ';' there is no entity.
_LOOKS_LIKE_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bfŒœŠšŽžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]")
_SPACE = re.compile("[\t\n\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000 ]+")
harmless_texts = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs"], exclude_characters=";\u200b\ufeff", include_characters="\t\n"
    )
).filter(lambda text: not _LOOKS_LIKE_MOJIBAKE.search(text))


@given(text=harmless_texts)
def test_harmless_text_stays_as_it_is_apart_from_white_space(text: str) -> None:
    tidy = _SPACE.sub(" ", text).strip(" ")
    assert clean_line(text) == (None if tidy.lower() in ("", "n/a", "\\n") else tidy)


@given(word=st.text("aeiouäéèêçñöüß", min_size=1))
def test_words_that_were_read_in_the_wrong_encoding_are_restored(word: str) -> None:
    assert clean_line(f"film {word}s".encode().decode("latin-1")) == f"film {word}s"


_PARSERS: tuple[Parser, ...] = (
    *(clean_line, clean_lines, clean_key, numbers.runtime_minutes, numbers.first_year, numbers.last_year),
    *(numbers.money, numbers.count, numbers.measure, partial(numbers.rating, out_of=10), partial_date),
    *(dates.timestamp, listed, without_credits, title_sort_key),
)
_PIECES = [text for kind in EXAMPLES.values() for text in kind.expected]


@pytest.mark.parametrize("parse", _PARSERS, ids=lambda parse: getattr(parse, "__name__", "rating"))
@given(text=st.one_of(st.text(), st.lists(st.sampled_from(_PIECES), max_size=3).map("".join)))
def test_no_text_breaks_a_parser_and_what_comes_out_can_be_written_as_utf_8(parse: Parser, text: str) -> None:
    str(parse(text)).encode()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '["\\ud83d"]', "[" + "-" * 50_000 + "1]"]
)
def test_an_array_made_to_break_its_reader_is_read_as_text(text: str) -> None:
    found = listed(text)
    assert found is not None
    assert [name.encode().decode() for name in found] == found


def test_a_memo_parses_a_text_once_and_remembers_few_short_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glue_scripts.memo._MOST_ENTRIES", 3)
    asked: list[str | None] = []

    def parse(text: str | None) -> int:
        asked.append(text)
        return len(text or "")

    memo = Memo(parse)
    assert [memo[text] for text in ("a", "bb", "a", None, None)] == [1, 2, 1, 0, 0]
    assert asked == ["a", "bb", None]
    assert memo["x" * 1000] == 1000
    assert len(memo) == 3
    assert memo["cccc"] == 4
    assert dict(memo) == {"cccc": 4}
