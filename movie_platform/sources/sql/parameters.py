"""What a profile may say of a database: its URL, who logs in, and which table or query is read. Values only."""

import re

from pydantic import Field, field_validator, model_validator

from movie_platform.sources.placeholders import check
from movie_platform.sources.profile import SourceParameters
from movie_platform.sources.secrets import SecretReference
from movie_platform.sources.secrets_in_urls import holds_secret


class SqlParameters(SourceParameters):
    """A database: where it is, and the table or the query that is read."""

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
