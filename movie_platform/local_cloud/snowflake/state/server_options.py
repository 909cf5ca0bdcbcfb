"""What the server was started with that statements and workers go by."""

from dataclasses import dataclass
from pathlib import Path

PIECE_ROWS = 50_000
MOST_PIECES = 1000


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`piece_rows`: a pipe commits so many rows of a file at once, or more where they would be more than `most_pieces`.

    `pipe_seed`: of the order in which files load.

    `trust_delay_seconds`: how long a role's trust is there until it counts, as IAM's changes take a while.
    `clock_file`: by how many seconds the clock is ahead by which things age, where the file is there.
    """

    piece_rows: int = PIECE_ROWS
    most_pieces: int = MOST_PIECES
    pipe_seed: int = 0
    trust_delay_seconds: float = 0.0
    clock_file: Path | None = None

    def piece_of(self, total: int) -> int:
        """How many rows a pipe commits at once of a file with so many rows."""
        return max(self.piece_rows, -(-total // self.most_pieces))
