"""What a profile may say of files: where they are, their format, and how CSV is written. Values only."""

import codecs
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from movie_platform.sources.placeholders import check
from movie_platform.sources.profile import SourceParameters
from movie_platform.sources.secrets_in_urls import holds_secret
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


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class FilesParameters(SourceParameters):
    """Files: where they are and how they are written."""

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
        """The delimiter that the profile says; else a tab for tsv and a comma for csv."""
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
