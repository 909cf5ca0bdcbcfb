"""Watermarks: texts of `updated_at` values, moved back in time without changing how they are written. Pure.

A watermark is only ever moved back: that reads rows again, which changes nothing, and never loses one.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:(?P<separator>[T ])(?P<minute>\d{2}:\d{2})(?P<second>:\d{2})?(?:\.(?P<fraction>\d{1,6})\d*)?"
    r"(?P<zone>\s?(?:Z|[+-]\d{2}(?::?\d{2})?))?)?"
)

# PostgreSQL's own word for a time after all others.
_NEVER = "infinity"


def earlier(watermark: str, seconds: int) -> str | None:
    """The timestamp that lies so many seconds earlier, in the same form; None for what is no ISO timestamp.

    A date without a time goes back by whole days, rounded up.
    """
    form = _TIMESTAMP.fullmatch(watermark)
    moment = None if form is None else _moment(form)
    if form is None or moment is None:
        return None
    if form["separator"] is None:
        seconds = -(-seconds // 86_400) * 86_400
    try:
        return _written_as(form, moment - timedelta(seconds=seconds))
    except OverflowError:
        return watermark


def not_after(watermark: str, moment: datetime) -> str:
    """The watermark, or `moment` (which has a zone) in the same form where the watermark lies after it.

    A timestamp in the future, by mistake or as a mark for "never", would otherwise hide every change until then.
    One without a zone is taken for UTC. What is no timestamp stays as it is.
    """
    if watermark == _NEVER:
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00"
    form = _TIMESTAMP.fullmatch(watermark)
    found = None if form is None else _moment(form)
    if form is None or found is None or found <= moment:
        return watermark
    return _written_as(form, moment)


def _moment(form: re.Match[str]) -> datetime | None:
    time = f"{form['minute'] or '00:00'}{form['second'] or ':00'}"
    fraction = (form["fraction"] or "").ljust(6, "0")
    try:
        local = datetime.fromisoformat(f"{form['date']}T{time}.{fraction}")
        return local.replace(tzinfo=_zone(form))
    except ValueError:
        return None


def _zone(form: re.Match[str]) -> timezone:
    text = (form["zone"] or "").strip()
    if text in ("", "Z"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _written_as(form: re.Match[str], moment: datetime) -> str:
    """A moment as the matched text writes its own; digits that the form has no room for are dropped."""
    local = moment.astimezone(_zone(form))
    text = local.date().isoformat()
    if form["separator"] is None:
        return text
    text += f"{form['separator']}{local:%H:%M}"
    if form["second"] is not None:
        text += f":{local:%S}"
    if form["fraction"] is not None:
        text += f".{local:%f}"[: 1 + len(form["fraction"])]
    return text + (form["zone"] or "")
