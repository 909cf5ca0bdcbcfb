"""What an extract of any source is asked and how it is labelled: where it begins, and whether it is full or a delta.

Pure decisions; where the cursors of earlier extracts are kept is not known here.
"""

from movie_platform.sources.profile import Profile
from movie_platform.sources.protocol import Incremental, LoadType, Source

# The manifest's `source.cursor` is where an extract ended; where it began is kept among its parameters.
PREVIOUS_CURSOR = "previous_cursor"


def keeps_cursor(source: Source) -> bool:
    """Whether extracts of the source begin where earlier ones ended."""
    return isinstance(source, Incremental)


def load_type_of(source: Source, profile: Profile, cursor: str | None) -> LoadType:
    """full or delta: what an incremental source says of an extract that begins at `cursor`, else the profile."""
    return source.load_type(cursor) if isinstance(source, Incremental) else profile.load_type


def parameters_of(source: Source, cursor: str | None) -> dict[str, str]:
    """What the manifest says the source was asked: its own description, and the cursor that it began at."""
    described = source.describe()
    return described if cursor is None else {**described, PREVIOUS_CURSOR: cursor}
