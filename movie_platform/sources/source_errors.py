"""What can go wrong with a source, as typed errors. Each says what failed, where, and what to do about it.

`code` is for machines (it ends up in results and alerts), `retryable` says whether the same attempt may succeed
later without anybody changing anything.
"""

from typing import ClassVar


class SourceError(Exception):
    """A source could not be described, reached or read."""

    code: ClassVar[str] = "source_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ProfileError(SourceError):
    """A profile is wrong: an unknown key, kind or column, a value that cannot be meant."""

    code = "profile_error"


class SourceNotFound(SourceError):  # noqa: N818 - the name says what was not found, as FileNotFoundError does
    """The file, database or table that a profile names does not exist."""

    code = "source_not_found"


class SourceUnavailable(SourceError):  # noqa: N818 - as above
    """The source exists as far as one can tell, but does not answer."""

    code = "source_unavailable"
    retryable = True


class SourceAuthenticationError(SourceError):
    """The source answered and refused the credentials, or a secret that the profile names does not exist."""

    code = "source_authentication"


class SourceQuotaExceeded(SourceError):  # noqa: N818 - as above
    """The source answered and refuses more requests for now: a rate or a daily quota is used up."""

    code = "source_quota"


class MalformedSource(SourceError):  # noqa: N818 - as above
    """A whole file or answer cannot be read. Single rows that cannot be read are rejected instead."""

    code = "malformed_source"


class NotAvailableAsOf(SourceError):  # noqa: N818 - as above
    """The source knows only its present state and was asked for that of another date."""

    code = "not_available_as_of"
