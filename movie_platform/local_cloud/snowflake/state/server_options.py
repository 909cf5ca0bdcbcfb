"""What the server was started with that statements and workers go by."""

from dataclasses import dataclass

PIECE_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`piece_rows`: a pipe commits so many rows of a file at once. `pipe_seed`: of the order in which files load."""

    piece_rows: int = PIECE_ROWS
    pipe_seed: int = 0
