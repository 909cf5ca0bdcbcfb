"""The SQL of the demo: what the marts answer, what became of one film, and that every row is accounted for.

The statements lie in `demo_sql`, a file each; a file's first line is the title of what it answers. They bind
`source`, and the `first` and `last` date of the demo.
"""

from dataclasses import dataclass
from importlib.resources import files

RECONCILIATION = "account_for_rows"
QUESTIONS = (
    "rank_genres",
    "sum_up_years",
    "list_top_movies",
    "list_directors",
    "compare_providers",
    "follow_ratings",
    "follow_film",
)


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with a title that says what it answers."""

    title: str
    sql: str


def load_query(name: str) -> Query:
    """The query in the file of that name. Raises FileNotFoundError where there is none."""
    text = files("movie_platform.commands").joinpath("demo_sql", f"{name}.sql").read_text("utf-8")
    title, _, sql = text.partition("\n")
    return Query(title.removeprefix("-- ").strip(), sql)
