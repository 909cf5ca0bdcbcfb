"""What the server was started with that statements and workers go by."""

from dataclasses import dataclass
from pathlib import Path

PIECE_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`piece_rows`: a pipe commits so many rows of a file at once. `pipe_seed`: of the order in which files load.

    `trust_delay_seconds`: how long a role's trust is there until it counts, as IAM's changes take a while.
    `clock_file`: by how many seconds the clock is ahead by which things age, where the file is there.
    """

    piece_rows: int = PIECE_ROWS
    pipe_seed: int = 0
    trust_delay_seconds: float = 0.0
    clock_file: Path | None = None
