"""The columns of a bundle: what a source may say of a film, as raw strings.

A source adapter renames its own columns to these names and changes no value. `movie_id` and `title` must be
there; what a profile does not name is kept as one JSON object in `extra`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawColumn:
    """One column of a bundle. Every value is a string or null; `description` is what a manifest says of it."""

    name: str
    description: str


MOVIE_ID = "movie_id"
TITLE = "title"
EXTRA = "extra"

RAW_COLUMNS: tuple[RawColumn, ...] = (
    RawColumn(
        MOVIE_ID,
        "The film's key in its source; several key columns are joined by '|', and each '|' and backslash in them"
        " is escaped by a backslash.",
    ),
    RawColumn("imdb_id", "IMDb title identifier, 'tt' and seven digits or more."),
    RawColumn(TITLE, "The film's title as the source shows it."),
    RawColumn("original_title", "The title in the language the film was made in."),
    RawColumn("type", "Kind of title, for example movie, series or short."),
    RawColumn("year", "Year of release, or a range of years for a series."),
    RawColumn("release_date", "Date of release; a year alone or a month and a year are allowed."),
    RawColumn("runtime", "Running time; minutes unless it says otherwise."),
    RawColumn("genres", "Genres, as a list in one value."),
    RawColumn("directors", "Directors, as a list in one value, in the source's order."),
    RawColumn("writers", "Writers, as a list in one value, in the source's order."),
    RawColumn("cast", "Cast, as a list in one value, in the source's order."),
    RawColumn("languages", "Languages spoken, as a list in one value."),
    RawColumn("countries", "Countries of production, as a list in one value."),
    RawColumn("production_companies", "Production companies, as a list in one value."),
    RawColumn("certification", "Age certification, for example PG-13."),
    RawColumn("overview", "A summary of the plot."),
    RawColumn("awards", "Awards, as the source's own text."),
    RawColumn("budget", "Production budget in US dollars."),
    RawColumn("box_office", "Box office takings in US dollars."),
    RawColumn("imdb_rating", "IMDb rating; a bare number is out of 10."),
    RawColumn("imdb_votes", "Number of votes behind the IMDb rating."),
    RawColumn("metascore", "Metacritic score; a bare number is out of 100."),
    RawColumn("metascore_reviews", "Number of reviews behind the Metacritic score."),
    RawColumn("rotten_tomatoes", "Rotten Tomatoes Tomatometer; a bare number is out of 100."),
    RawColumn("rotten_tomatoes_reviews", "Number of reviews behind the Tomatometer."),
    RawColumn("critic_rating", "Average rating that critics gave; a bare number is out of 10."),
    RawColumn("critic_reviews", "Number of reviews behind the critics' average rating."),
    RawColumn("popularity", "The source's own measure of popularity."),
    RawColumn("homepage", "The film's own web page."),
    RawColumn("poster_url", "Address of a poster image."),
    RawColumn("updated_at", "When the source last changed this row; decides between two rows of one key."),
    RawColumn(EXTRA, "What the source said beside the contract: a JSON object of strings."),
)

REQUIRED_RAW_COLUMNS: frozenset[str] = frozenset({MOVIE_ID, TITLE})


def raw_column_names() -> tuple[str, ...]:
    """The names of all bundle columns, in contract order."""
    return tuple(column.name for column in RAW_COLUMNS)
