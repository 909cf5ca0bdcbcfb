"""Words, names and lists that generated films are put together from. Made, not drawn: the same in every process.

Only constants and how they are made belong here; which of them a film gets is decided in `films`.
"""

from itertools import product

_ONSETS = (
    "b",
    "br",
    "ch",
    "d",
    "f",
    "gr",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "v",
    "w",
    "z",
    "sh",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "é", "ö", "ou", "ía")
_CODAS = ("n", "r", "l", "s", "lk", "nd", "m", "lt", "rn", "")

FIRST_NAMES: tuple[str, ...] = tuple(
    f"{onset}{vowel}{coda}".capitalize() for onset, vowel, coda in product(_ONSETS, _VOWELS[:7], _CODAS[:4])
)
LAST_NAMES: tuple[str, ...] = tuple(
    f"{onset}{vowel}{middle}{ending}".capitalize()
    for onset, vowel, middle, ending in product(
        _ONSETS, _VOWELS, ("ll", "rd", "v", "m"), ("er", "sson", "ini", "ova", "")
    )
)
WORDS: tuple[str, ...] = tuple(
    f"{onset}{vowel}{coda}{ending}"
    for onset, vowel, coda, ending in product(_ONSETS, _VOWELS[:8], _CODAS, ("", "ing", "y"))
)
TITLE_WORDS: tuple[str, ...] = (
    *(
        "night",
        "river",
        "city",
        "house",
        "king",
        "daughter",
        "winter",
        "stranger",
        "summer",
        "road",
        "moon",
        "letter",
    ),
    *("tom & jerry", "tom &amp; jerry", 'the "last" waltz', "1776", "café", "night\u00a0train", "ride, ride"),
    *WORDS[::7],
)
# What stands before a title's words; most titles have nothing there.
TITLE_BEGINNINGS: tuple[str, ...] = ("The ", "A ", "An ", "Die ", "", "", "", "")

GENRES: tuple[str, ...] = (
    *(
        "Drama",
        "Comedy",
        "Action",
        "Thriller",
        "Romance",
        "Horror",
        "Documentary",
        "Crime",
        "Adventure",
        "Sci-Fi",
    ),
    *(
        "Fantasy",
        "Mystery",
        "Family",
        "Animation",
        "Biography",
        "History",
        "War",
        "Western",
        "Musical",
        "Sport",
    ),
)
LANGUAGES: tuple[str, ...] = (
    *(
        "English",
        "French",
        "German",
        "Spanish",
        "Italian",
        "Japanese",
        "Hindi",
        "Mandarin",
        "Korean",
        "Russian",
    ),
    *("Portuguese", "Swedish", "Danish", "Polish", "Arabic"),
)
COUNTRIES: tuple[str, ...] = (
    *(
        "USA",
        "UK",
        "France",
        "Germany",
        "India",
        "Japan",
        "Italy",
        "Spain",
        "Canada",
        "South Korea",
        "Sweden",
    ),
    *("Denmark", "Poland", "Brazil", "Mexico", "Australia", "Hong Kong", "China"),
)
CERTIFICATIONS: tuple[str, ...] = ("G", "PG", "PG-13", "R", "NC-17", "UNRATED", "NOT RATED", "N/A")
TYPES: tuple[str, ...] = ("movie", "movie", "movie", "movie", "short", "series", "documentary", "Movie")
STUDIOS: tuple[str, ...] = tuple(
    f"{name} {kind}" for name in LAST_NAMES[::40] for kind in ("Pictures", "Film AB", "& Sons")
)
MONTHS: tuple[str, ...] = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_SENTENCE_WORDS = (7, 9, 11, 13)


def sentences(count: int = 5000) -> tuple[str, ...]:
    """Sentences for summaries of plots: long enough that a summary has the length of a real one."""
    made: list[str] = []
    for number in range(count):
        # Steps that share no factor with the number of words: each sentence walks through them in a way of its own.
        step = 2 * (number * 37 % 600) + 1
        words = [
            WORDS[(number * 131 + place * step) % len(WORDS)] for place in range(_SENTENCE_WORDS[number % 4])
        ]
        end = "!" if number % 50 == 0 else "."
        made.append(f"{' '.join(words).capitalize()}{end}")
    return tuple(made)
