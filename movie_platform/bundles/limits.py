"""How large a bundle and its parts may be: what bounds the time, memory and disk that verifying one costs."""

from dataclasses import dataclass

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a bundle. Sizes are bytes.

    Attributes:
        bundle_bytes: Size of the ZIP itself. The Lambda keeps it in /tmp, which holds 10 GiB at most.
        entries: Number of entries, the manifest included.
        entry_bytes: Inflated size of one entry.
        total_bytes: Inflated size of all entries.
        ratio: Inflated size over deflated size of one entry. Rows of a CSV part that are all alike reach
            about 150; deflate itself reaches 1,032.
        ratio_floor_bytes: Entries that inflate to no more than this are exempt from `ratio`.
        manifest_bytes: Size of manifest.json.
        row_bytes: Size of one CSV row or of one line of rejected rows.
    """

    bundle_bytes: int = 8 * GIB
    entries: int = 10_000
    entry_bytes: int = 8 * GIB
    total_bytes: int = 64 * GIB
    ratio: int = 250
    ratio_floor_bytes: int = MIB
    manifest_bytes: int = 8 * MIB
    row_bytes: int = 32 * MIB


DEFAULT_LIMITS = Limits()
