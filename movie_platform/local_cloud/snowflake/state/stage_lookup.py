# ruff: noqa: S608 - identifiers in SQL text are constants
"""Stages and file formats as what reads files needs them: which place a reference means, and the files that lie there.

External stages on `s3://` only. Sources: Snowflake documentation, "CREATE STAGE", "CREATE FILE FORMAT".
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    compilation_error,
    does_not_exist,
    unsupported,
)
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake, StagedFile
from movie_platform.local_cloud.snowflake.text.names import FullName, Name
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream, Value

_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?", re.DOTALL)
_OPTIONS_OF_TYPES: Mapping[str, frozenset[str]] = {
    "PARQUET": frozenset({"TYPE", "COMPRESSION", "BINARY_AS_TEXT", "USE_LOGICAL_TYPE", "COMMENT"}),
    "CSV": frozenset(
        {
            "TYPE", "COMPRESSION", "FIELD_DELIMITER", "SKIP_HEADER", "FIELD_OPTIONALLY_ENCLOSED_BY", "NULL_IF",
            "EMPTY_FIELD_AS_NULL", "ESCAPE_UNENCLOSED_FIELD", "COMMENT",
        }
    ),
    "JSON": frozenset({"TYPE", "COMPRESSION", "COMMENT"}),
}  # fmt: skip
FORMAT_OPTIONS = frozenset().union(*_OPTIONS_OF_TYPES.values()) | {"FORMAT_NAME"}


@dataclass(frozen=True, slots=True)
class StageLocation:
    """A resolved `@stage/path`: `stage_prefix` is the key prefix of the stage, `path` what the statement adds.

    `integration` is the storage integration through which the stage is reached, if any.
    """

    stage: FullName
    bucket: str
    stage_prefix: str
    path: str
    integration: str | None = None

    @property
    def prefix(self) -> str:
        """Prefix of the keys of all files at the location."""
        return self.stage_prefix + self.path

    @property
    def stage_url(self) -> str:
        """The stage's own URL."""
        return f"s3://{self.bucket}/{self.stage_prefix}"

    def relative(self, key: str) -> str:
        """A key without the stage's own prefix: what PATTERN is matched with and the history shows."""
        return key.removeprefix(self.stage_prefix)

    def matches(self, bucket: str, key: str, pattern: str | None) -> bool:
        """Whether an object is at the location and its name matches the pattern as a whole."""
        if bucket != self.bucket or not key.startswith(self.prefix) or key.endswith("/"):
            return False
        return pattern is None or re.fullmatch(pattern, self.relative(key), re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format's type (PARQUET, CSV, JSON) and options."""

    type: str
    options: Mapping[str, Any]


def check_pattern(pattern: str) -> str:
    """The pattern, if it is a regular expression.

    Raises SnowflakeError where it is not.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise SnowflakeError(100048, "2201B", f"Invalid regular expression: '{pattern}', {error}") from error
    return pattern


def check_format(options: Mapping[str, Value]) -> FileFormat:
    """A file format of options as written.

    Raises SnowflakeError for a type or option that the local Snowflake has not.
    """
    kind = str(options.get("TYPE", "CSV")).upper()
    if kind not in _OPTIONS_OF_TYPES:
        raise unsupported(f"a file format of TYPE = {kind}")
    for name in options:
        if name not in _OPTIONS_OF_TYPES[kind]:
            raise unsupported(f"the option {name} of a file format of TYPE = {kind}")
    return FileFormat(
        kind, {name: value for name, value in options.items() if name not in {"TYPE", "COMMENT"}}
    )


def read_format_options(stream: TokenStream) -> dict[str, Value]:
    """Takes `( FORMAT_NAME = … | TYPE = … options )`."""
    stream.expect_symbol("(")
    if stream.accept("FORMAT_NAME"):
        stream.expect_symbol("=")
        text = stream.string() if stream.token.kind.name == "STRING" else str(stream.name())
        options: dict[str, Value] = {"FORMAT_NAME": text}
    else:
        options = stream.properties(FORMAT_OPTIONS)
    stream.expect_symbol(")")
    return options


def find_format(
    engine: Engine, options: Mapping[str, Value], database: str | None, schema: str | None
) -> FileFormat:
    """The file format that options name or describe."""
    name = options.get("FORMAT_NAME")
    if name is None:
        return check_format(options)
    stream = TokenStream(str(name))
    full = stream.name().resolve(database, schema)
    stream.end()
    rows = engine.query(
        f"SELECT options FROM {ACCOUNT_STATE}._fs_file_formats "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        [full.database, full.schema, full.name],
    )
    if not rows:
        raise does_not_exist("File format", str(full))
    return check_format(json.loads(rows[0][0]))


def find_location(engine: Engine, stage: FullName, path: str) -> StageLocation:
    """The location for a stage and a path in it.

    Raises SnowflakeError where the stage does not exist or has no URL.
    """
    rows = engine.query(
        f"SELECT url, storage_integration FROM {ACCOUNT_STATE}._fs_stages "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        [stage.database, stage.schema, stage.name],
    )
    if not rows:
        raise does_not_exist("Stage", str(stage))
    bucket, prefix = parse_url(rows[0][0])
    if path and prefix and not prefix.endswith("/"):
        path = f"/{path}"
    return StageLocation(stage, bucket, prefix, path, rows[0][1] or None)


def stage_format(engine: Engine, stage: FullName) -> Mapping[str, Value] | None:
    """The FILE_FORMAT that a stage was created with, if any."""
    rows = engine.query(
        f"SELECT file_format FROM {ACCOUNT_STATE}._fs_stage_options "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        [stage.database, stage.schema, stage.name],
    )
    return json.loads(rows[0][0]) if rows and rows[0][0] else None


def parse_url(url: str) -> tuple[str, str]:
    """Bucket and key prefix of a stage URL.

    Raises SnowflakeError for anything but s3://.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise compilation_error(1011, "42601", f"invalid URL prefix found in: '{url}'")
    return match["bucket"], match["prefix"] or ""


def read_stage_reference(stream: TokenStream) -> tuple[Name, str]:
    """Takes `@[db.][schema.]stage[/path]`, quoted as a string or not; gives the stage's name and the path."""
    if stream.token.kind.name == "STRING":
        text = stream.string()
        if not text.startswith("@"):
            raise unsupported(f"a location that is no stage ('{text}')")
        inner = TokenStream(text)
        name, _ = _stage_name(inner)
        return name, text[inner.token.start :].removeprefix("/") if inner.token.kind.name != "END" else ""
    name, adjacent = _stage_name(stream)
    if stream.token.text == "/" and stream.token.start == adjacent:
        return name, stream.adjacent_text().removeprefix("/")
    return name, ""


def _stage_name(stream: TokenStream) -> tuple[Name, int]:
    stream.expect_symbol("@")
    if stream.token.text in {"~", "%"}:
        raise unsupported("user stages (@~) and table stages (@%table)")
    parts: list[str] = []
    while True:
        end = stream.token.end
        parts.append(stream.identifier())
        if stream.token.text != "." or stream.token.start != end:
            break
        stream.take()
    if len(parts) > 3:
        raise stream.unexpected()
    return Name.of(parts), end


def files_at(lake: Lake, location: StageLocation, pattern: str | None) -> Iterator[StagedFile]:
    """The files at a location whose names match, in the order of their keys."""
    return (
        file
        for file in lake.list(location.bucket, location.prefix)
        if location.matches(file.bucket, file.key, pattern)
    )
