"""What names a file, whether it lies on disk, in S3, behind a web address or in a ZIP; `locations` opens it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """One file, or one `member` of a ZIP file. `name` is what messages call it: short, without secrets."""

    uri: str
    name: str
    member: str | None = None
