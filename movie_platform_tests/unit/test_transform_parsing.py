"""What the transform makes of single values: each parser against examples, and against properties of many values.

All examples of a kind of test are parsed by one Spark job, once with ANSI mode and once without.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, SparkSession, types
from pyspark.sql import functions as fn

from glue_scripts import dates, lists, numbers
from glue_scripts.films import title_sort_key
from glue_scripts.text import bind, clean_key, clean_line, clean_lines

pytestmark = pytest.mark.spark

Parser = Callable[[Column], Column]

# An example is a Spark job: few examples, each of many values. The failed values are few already: nothing to shrink.
many_values = settings(
    max_examples=5,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
VALUES = 200
# The stricter mode: what goes wrong there is an error, not a null.
in_ansi_mode = pytest.mark.parametrize("session", ["true"], indirect=True, ids=["with ANSI mode"])


def evaluate(
    spark: SparkSession, work: Mapping[str, tuple[Parser, Sequence[str | None]]]
) -> dict[str, list[Any]]:
    """What each parser makes of its texts, all in one Spark job."""
    schema = types.StructType([types.StructField(name, types.StringType()) for name in work])
    rows = list(zip_longest(*(texts for _, texts in work.values())))
    frame = spark.createDataFrame(rows, schema).select(
        *(parse(fn.col(name)).alias(name) for name, (parse, _) in work.items())
    )
    found = frame.collect()
    return {name: [row[name] for row in found[: len(texts)]] for name, (_, texts) in work.items()}


def differences(texts: Sequence[str | None], found: Sequence[Any], expected: Sequence[Any]) -> list[str]:
    """A sentence for each text of which something else came than expected."""
    return [
        f"{text!r} gave {got!r}, not {wanted!r}"
        for text, got, wanted in zip(texts, found, expected, strict=True)
        if got != wanted or type(got) is not type(wanted)
    ]


def partial_date(text: Column) -> Column:
    """The first day and the precision of a date in one value: `1994-10-01 month`."""
    iso = dates.partial_date(text)
    return fn.concat(dates.first_day(iso).cast("string"), fn.lit(" "), dates.precision(iso))


def listed(text: Column) -> Column:
    """The items of a raw list."""
    return bind(clean_line(text), lambda cleaned: lists.items(text, cleaned))


def names(text: Column) -> Column:
    """The names in a text of ours: separated by semicolons, none in an empty text."""
    return fn.array_remove(fn.split(text, ";"), "")


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
        _decimals(
            {
                **dict.fromkeys(("142", "142 min", "142 mins.", "142 minutes", "142.0", "2h 22m"), "142"),
                **dict.fromkeys(("2 hrs 22 min", "2 hours, 22 minutes", "PT2H22M", "PT142M"), "142"),
                **dict.fromkeys(("2:22:00", "PT2H22M30S"), "142"),
                "1h": "60",
                "103.0": "103",
                "90.5": "91",
                "1,440 min": "1440",
                # In range or not is for a rule to say.
                "0": "0",
                "-5 min": "-5",
                "99999999 min": "99999999",
                **dict.fromkeys(("soon", "two hours", "PT", "h", "min", "12 parsecs", "1h 2h", "9" * 16)),
            }
        ),
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
            **dict.fromkeys(("1.5", "-3", "many", "12,34", "K", "9" * 16)),
        },
    ),
    "measures": Examples(
        numbers.measure,
        _decimals({"12.34565": "12.3457", "7": "7.0000", **dict.fromkeys(("-1", "1,5", "high"))}),
    ),
    "ratings_out_of_10": Examples(
        lambda text: numbers.rating(text, fn.lit(10)),
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
        lambda text: numbers.rating(text, fn.lit(100)),
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
            **dict.fromkeys(("soon", "Octember 1994", "14.10.94", "1994-1", "1994-10-14x")),
        },
    ),
    "timestamps": Examples(
        lambda text: dates.timestamp(text).cast("string"),
        {
            **dict.fromkeys(
                (
                    *("2026-11-18T20:15:00Z", "2026-11-18 20:15:00", "2026-11-18 20:15", "2026-11-18T20:15Z"),
                    *("2026-11-18T22:15:00+02:00", "2026-11-18 22:15:00+02", "2026-11-18T15:15:00-0500"),
                    "2026-11-18 20:15:00 UTC",
                ),
                "2026-11-18 20:15:00",
            ),
            "2026-11-18T20:15:00.123456Z": "2026-11-18 20:15:00.123456",
            "2026-11-18 9:15": "2026-11-18 09:15:00",
            "2026-11-18": "2026-11-18 00:00:00",
            "18 Nov 2026": "2026-11-18 00:00:00",
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
        lambda text: lists.without_credits(names(text), text),
        {
            "A. Writer (story, idea);B. Writer (screenplay);A. Writer (novel)": ["A. Writer", "B. Writer"],
            "John Smith (II);John Smith": ["John Smith (II)", "John Smith"],
        },
    ),
    "joined_lists": Examples(
        lambda text: lists.joined(names(text), text),
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


@pytest.fixture(scope="module", params=["false", "true"], ids=["without ANSI mode", "with ANSI mode"])
def session(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    before = spark.conf.get("spark.sql.ansi.enabled") or "false"
    spark.conf.set("spark.sql.ansi.enabled", request.param)
    yield spark
    spark.conf.set("spark.sql.ansi.enabled", before)


@pytest.fixture(scope="module")
def parsed(session: SparkSession) -> dict[str, list[Any]]:
    """What came of the examples of each kind, in their order, and of a null."""
    texts: dict[Parser, list[str | None]] = {kind.parse: [None] for kind in EXAMPLES.values()}
    for kind in EXAMPLES.values():
        texts[kind.parse].extend(kind.expected)
    numbered = {f"parser_{number}": work for number, work in enumerate(texts.items())}
    found = evaluate(session, numbered)
    values = {
        parse: dict(zip(given_texts, found[name], strict=True))
        for name, (parse, given_texts) in numbered.items()
    }
    return {
        name: [values[kind.parse][text] for text in (*kind.expected, None)] for name, kind in EXAMPLES.items()
    }


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_value_is_parsed_as_its_example_says_and_null_stays_null(
    parsed: dict[str, list[Any]], kind: str
) -> None:
    expected = {**EXAMPLES[kind].expected, None: None}
    assert differences(list(expected), parsed[kind], list(expected.values())) == []


@in_ansi_mode
def test_every_rating_out_of_ten_is_exactly_ten_times_as_much_out_of_a_hundred(session: SparkSession) -> None:
    scores = [
        *(Decimal(tenths).scaleb(-1) for tenths in range(101)),
        *(Decimal(hundredths).scaleb(-2) for hundredths in range(1001)),
    ]
    expected = [(score * 10).quantize(Decimal("0.01")) for score in scores]
    shares, bare = [f"{score}/10" for score in scores], [str(score) for score in scores]

    def parse(text: Column) -> Column:
        return numbers.rating(text, fn.lit(10))

    found = evaluate(session, {"shares": (parse, shares), "bare": (parse, bare)})
    assert differences(shares, found["shares"], expected) == []
    assert differences(bare, found["bare"], expected) == []


@in_ansi_mode
@many_values
@given(
    amounts=st.lists(
        st.decimals(min_value=0, max_value=10**15 - 1, places=2), min_size=VALUES, max_size=VALUES
    ),
    votes=st.lists(st.integers(min_value=0, max_value=10**15 - 1), min_size=VALUES, max_size=VALUES),
)
def test_a_number_with_thousands_separators_is_that_number(
    session: SparkSession, amounts: list[Decimal], votes: list[int]
) -> None:
    prices, counts = [f"${amount:,}" for amount in amounts], [f"{number:,}" for number in votes]
    found = evaluate(session, {"prices": (numbers.money, prices), "counts": (numbers.count, counts)})
    assert differences(prices, found["prices"], amounts) == []
    assert differences(counts, found["counts"], votes) == []


@in_ansi_mode
@many_values
@given(days=st.lists(st.dates(), min_size=VALUES, max_size=VALUES))
def test_a_date_is_itself_however_it_is_written(session: SparkSession, days: list[date]) -> None:
    texts = {
        "iso": [day.isoformat() for day in days],
        "day_first": [f"{day.day} {day:%b} {day.year:04}" for day in days],
        "month_first": [f"{day:%B} {day.day}, {day.year:04}" for day in days],
    }
    found = evaluate(session, {name: (partial_date, written) for name, written in texts.items()})
    expected = [f"{day.isoformat()} day" for day in days]
    assert [differences(texts[name], found[name], expected) for name in texts] == [[], [], []]


# What looks like UTF-8 that was read as Latin-1 or Windows-1252 may be repaired; without ';' there is no entity.
_LOOKS_LIKE_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bfŒœŠšŽžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]")
_SPACE = re.compile("[\t\n\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000 ]+")
harmless_texts = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs"], exclude_characters=";\u200b\ufeff", include_characters="\t\n"
    )
).filter(lambda text: not _LOOKS_LIKE_MOJIBAKE.search(text))


@in_ansi_mode
@many_values
@given(texts=st.lists(harmless_texts, min_size=VALUES, max_size=VALUES))
def test_harmless_text_stays_as_it_is_apart_from_white_space(session: SparkSession, texts: list[str]) -> None:
    tidy = [_SPACE.sub(" ", text).strip(" ") for text in texts]
    expected = [None if text.lower() in ("", "n/a", "\\n") else text for text in tidy]
    found = evaluate(session, {"texts": (clean_line, texts)})
    assert differences(texts, found["texts"], expected) == []


@in_ansi_mode
@many_values
@given(words=st.lists(st.text("aeiouäéèêçñöüß", min_size=1), min_size=VALUES, max_size=VALUES))
def test_words_that_were_read_in_the_wrong_encoding_are_restored(
    session: SparkSession, words: list[str]
) -> None:
    texts = [f"film {word}s".encode().decode("latin-1") for word in words]
    found = evaluate(session, {"texts": (clean_line, texts)})
    assert differences(texts, found["texts"], [f"film {word}s" for word in words]) == []
