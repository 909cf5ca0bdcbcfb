"""Snowflake's formats in strftime's and strptime's words."""

import pytest

from movie_platform.local_cloud.snowflake.text.date_formats import (
    check_input_format,
    check_output_format,
    has_zone,
    strftime_format,
    timestamp_formats,
    zoned_timestamp_formats,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("YYYY-MM-DD", "%Y-%m-%d"),
        ("yyyy-mm-dd hh24:mi:ss.ff3", "%Y-%m-%d %H:%M:%S.%g"),
        ('DD/MON/YY "YYYY" 100%', "%d/%b/%y YYYY 100%%"),
        ("HH12:MI:SS.FF9 PM TZH:TZM", "%I:%M:%S.%f000 %p \x01:\x02"),
        ("FF2", "\x04"),
    ],
)
def test_a_format_of_output_is_strftimes(text: str, expected: str) -> None:
    assert strftime_format(text) == expected


def test_a_format_of_input_is_tried_with_and_without_its_zone() -> None:
    text = "DD/MM/YYYY HH24:MI:SS.FF TZHTZM"
    assert timestamp_formats(text) == ("%d/%m/%Y %H:%M:%S.%n",)
    assert zoned_timestamp_formats(text) == ("%d/%m/%Y %H:%M:%S.%n %z",)
    assert zoned_timestamp_formats("YYYY TZH:TZM") == ("%Y %z",)
    assert has_zone(text)
    assert has_zone("auto")
    assert not has_zone("YYYY")


def test_names_of_months_are_read_short_and_long() -> None:
    assert timestamp_formats("DD-MON-YYYY") == ("%d-%b-%Y", "%d-%B-%Y")


def test_a_text_without_any_element_is_no_format() -> None:
    check_input_format("AUTO")
    for check in (check_input_format, check_output_format):
        with pytest.raises(ValueError, match="nothing"):
            check("nothing")
