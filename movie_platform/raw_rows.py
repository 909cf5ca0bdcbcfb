"""What a source hands to whoever writes it down: Arrow batches of raw texts, and what could not be read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Loading it takes longer than all else here, and whoever only reads profiles does not need it.
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """Something that a reader could not make a row of.

    `line_number` is where it begins in its file, from 1 (None where a source has no lines); `raw_text` what was
    read, cut at a bound; `code` one of `movie_platform.sources.rejections`; `message` a sentence.
    """

    line_number: int | None
    raw_text: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows and rejected rows that were read together.

    All columns of `rows` are of type string, named and ordered as in the contract, `movie_id` first; a batch may
    hold rejected rows alone, but its schema is the same as that of every other batch of the extract.
    """

    rows: "pa.RecordBatch"
    rejected: tuple[RejectedRow, ...] = ()
