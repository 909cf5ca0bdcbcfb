"""What a profile may say of each kind of source, beside what all kinds share. Values only; nothing is opened here."""

import codecs
import re
from typing import Annotated, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from movie_platform.sources.placeholders import check
from movie_platform.sources.secrets import SecretReference
from movie_platform.sources.suggestions import did_you_mean

FileFormat = Literal["csv", "tsv", "json", "jsonl", "parquet"]
_FORMAT_OF_SUFFIX: dict[str, FileFormat] = {
    "csv": "csv",
    "tsv": "tsv",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
}
AUTO = "auto"
_COMMON_ENCODINGS = (
    AUTO,
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "latin-1",
    "windows-1252",
    "mac_roman",
)
_SECRET_IN_QUERY = frozenset({"password", "passwd", "pwd", "token", "api_key", "apikey", "secret"})


def passwords_in(url: str) -> list[str]:
    """The passwords and the like that are written into a URL, as written and decoded."""
    parts = urlsplit(url)
    found = [parts.password] if parts.password else []
    found += [
        value for name, value in parse_qsl(parts.query) if name.casefold() in _SECRET_IN_QUERY and value
    ]
    return found + [decoded for value in found if (decoded := unquote(value)) != value]


def holds_secret(url: str) -> bool:
    """Whether a password or the like is written into a URL."""
    try:
        return bool(passwords_in(url))
    except ValueError:
        # A URL that cannot be taken apart is refused where it is opened; here, rather safe than printed.
        return "@" in url


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class SqlParameters(BaseModel):
    """A database: where it is, and the table or the query that is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | SecretReference = Field(description="URL of the database; may hold {home} and {dt}.")
    user: str | None = Field(default=None, min_length=1)
    password: SecretReference | None = None
    table: str | None = Field(default=None, min_length=1)
    query: str | None = Field(default=None, min_length=1)
    incremental: bool = Field(
        default=False, description="Read only what changed since the last extract, by `updated_at`."
    )
    overlap: int = Field(
        default=0, ge=0, le=31 * 86_400, description="Seconds before the last extract's end to read again."
    )

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | SecretReference) -> str | SecretReference:
        if isinstance(value, str):
            if not re.match(r"[A-Za-z][A-Za-z0-9+]*://", value):
                raise ValueError("a URL begins with scheme://, for example sqlite:////data/movies.db")
            check(value, "url")
            if holds_secret(value):
                raise ValueError(
                    'a secret is written into the URL; name it instead: user = "…" and '
                    'password = { env = "NAME" }, or the whole url = { env = "NAME" }'
                )
        return value

    @model_validator(mode="after")
    def _table_or_query(self) -> "SqlParameters":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either `table` or `query`")
        if self.password is not None and self.user is None:
            raise ValueError("`password` needs `user`")
        if self.overlap and not self.incremental:
            raise ValueError("`overlap` needs incremental = true")
        return self


class FilesParameters(BaseModel):
    """Files: where they are and how they are written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[tuple[str, ...], BeforeValidator(_one_or_several)] = Field(min_length=1)
    format: FileFormat | None = None
    encoding: str = AUTO
    delimiter: str | None = None
    quote: str | None = Field(default=None, description="Quote character of csv and tsv; empty: no quoting.")
    escape: Literal["auto", "double", "backslash"] = "auto"
    null_values: tuple[str, ...] = ()

    @field_validator("path")
    @classmethod
    def _path(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not path:
                raise ValueError("a path is empty")
            check(path, "path")
            if "://" in path and holds_secret(path):
                raise ValueError("a secret is written into the path; files are read without a password")
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str) -> str:
        if value == AUTO:
            return value
        try:
            codec = codecs.lookup(value)
            # Decoding something is what refuses codecs between bytes and bytes, such as hex.
            b"text".decode(codec.name, "replace")
        except LookupError:
            raise ValueError(
                f"{value!r} is not a text encoding.{did_you_mean(value, _COMMON_ENCODINGS)}"
            ) from None
        return codec.name

    @field_validator("delimiter")
    @classmethod
    def _delimiter(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value in '\r\n"\\\0\ufeff'):
            raise ValueError(
                'a delimiter is one character, and not a quote, backslash or line end ("\\t" is a tab)'
            )
        return value

    @field_validator("quote")
    @classmethod
    def _quote(cls, value: str | None) -> str | None:
        if value is not None and (len(value) > 1 or value in ("\r", "\n", "\\", "\0", "\ufeff")):
            raise ValueError("a quote is one character, or empty for files without quoting")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "FilesParameters":
        written_as = self.file_format
        if written_as not in ("csv", "tsv"):
            for name in ("delimiter", "quote"):
                if getattr(self, name) is not None:
                    raise ValueError(f"`{name}` does not belong to format {written_as!r}")
        elif self.quote_character == self.delimiter_character:
            raise ValueError("delimiter and quote are the same character")
        return self

    @property
    def file_format(self) -> FileFormat:
        """The format: as given, else by the paths' ending. ValueError where neither says it."""
        if self.format is not None:
            return self.format
        formats: list[FileFormat | None] = [format_of(path) for path in self.path]
        found = formats[0]
        if found is None or len(set(formats)) > 1:
            raise ValueError(f"the path's ending does not say the format; set format = one of {_formats()}")
        return found

    @property
    def delimiter_character(self) -> str:
        """The delimiter of csv and tsv."""
        return self.delimiter or ("\t" if self.file_format == "tsv" else ",")

    @property
    def quote_character(self) -> str | None:
        """The quote of csv and tsv, None for files without quoting, which is what tsv means by default."""
        if self.quote is None:
            return None if self.file_format == "tsv" else '"'
        return self.quote or None


def format_of(path: str) -> FileFormat | None:
    """The format that a path's or address's ending says, before .gz and .zip; None where it says none."""
    name = urlsplit(path).path if "://" in path else path
    name = name.rsplit("/", 1)[-1].casefold().removesuffix(".zip").removesuffix(".gz")
    return _FORMAT_OF_SUFFIX.get(name.rsplit(".", 1)[-1])


def _formats() -> str:
    return ", ".join(("csv", "tsv", "json", "jsonl", "parquet"))
