"""Source profiles: TOML files that say where movie data comes from and what its columns are called.

`load_profile` reads and checks one without touching the source; `open_source` makes the source that it describes.
Which kinds there are says `kinds`; what a profile is once it is read, `profile`.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from movie_platform.contracts.locations import SOURCE_NAME
from movie_platform.contracts.raw import EXTRA, MOVIE_ID, TITLE, raw_column_names
from movie_platform.settings import Settings
from movie_platform.sources.kinds import KINDS
from movie_platform.sources.profile import UPDATED_AT, Profile
from movie_platform.sources.protocol import Source
from movie_platform.sources.source_errors import ProfileError, SourceNotFound
from movie_platform.sources.suggestions import did_you_mean, listing

MAPPABLE_COLUMNS: tuple[str, ...] = tuple(
    name for name in raw_column_names() if name not in (MOVIE_ID, EXTRA)
)
_COMMON_KEYS = ("name", "kind", "load_type", "key", "updated_at", "optional")
_BUILTIN_FOLDER = Path(__file__).parent / "builtin_profiles"
_MAXIMUM_PROFILE_BYTES = 1024 * 1024


def builtin_profile_names() -> tuple[str, ...]:
    """Names of the profiles that come with the platform."""
    return tuple(sorted(path.stem for path in _BUILTIN_FOLDER.glob("*.toml")))


def load_profile(name_or_path: str, *, settings: Settings) -> Profile:
    """The profile of that name, or in that TOML file.

    Raises ProfileError for whatever is wrong with it, SourceNotFound when there is no such profile or file.
    """
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        path = Path(name_or_path).expanduser()
        return parse_profile(
            _read(path), default_name=path.stem, folder=path.absolute().parent, where=str(path)
        )
    names = builtin_profile_names()
    if name_or_path not in names:
        raise SourceNotFound(
            f"there is no profile {name_or_path!r}; built in are {listing(names)}."
            f"{did_you_mean(name_or_path, names)} A profile of your own is named by its file, FILE.toml."
        )
    path = _BUILTIN_FOLDER / f"{name_or_path}.toml"
    return parse_profile(
        _read(path), default_name=name_or_path, folder=settings.home, where=f"built-in profile {name_or_path}"
    )


def parse_profile(text: str, *, default_name: str, folder: Path, where: str) -> Profile:
    """The profile that a TOML text describes. `where` names it in errors. Raises ProfileError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{where} is not valid TOML: {error}") from error
    _refuse_unknown(document, ("source", "columns"), where=where, what="table")
    source = _table(document, "source", where)
    kind = _kind(source, where)
    parameters = KINDS[kind].parameters
    _refuse_unknown(source, (*_COMMON_KEYS, *parameters.model_fields), where=f"{where} [source]", what="key")
    columns = _columns(_table(document, "columns", where), source, where)
    key = source.get("key")
    if key is None:
        raise ProfileError(f"{where}: [source] has no `key`; name the source columns that identify a film.")
    try:
        profile = Profile.model_validate(
            {
                "name": source.get("name", default_name),
                "kind": kind,
                "load_type": source.get("load_type", "full"),
                "key": (key,) if isinstance(key, str) else key,
                "columns": columns,
                "optional": source.get("optional", ()),
                "parameters": parameters.model_validate(
                    {name: value for name, value in source.items() if name not in _COMMON_KEYS}
                ),
                "folder": folder,
            }
        )
    except ValidationError as error:
        raise ProfileError(f"{where}: {_sentences(error)}") from None
    _check(profile, where)
    _check_incremental(profile, source, where)
    return profile


def open_source(profile: Profile, *, settings: Settings) -> Source:
    """The source that a profile describes. Nothing is read until the source is asked."""

    def open_other(name: str) -> tuple[Profile, Source]:
        other = load_profile(name, settings=settings)
        return other, open_source(other, settings=settings)

    return KINDS[profile.kind].open(profile, settings, open_other)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAXIMUM_PROFILE_BYTES + 1)
    except FileNotFoundError as error:
        near = did_you_mean(path.name, (other.name for other in path.absolute().parent.glob("*.toml")))
        raise SourceNotFound(f"there is no profile file {path}.{near}") from error
    except OSError as error:
        raise ProfileError(f"the profile file {path} cannot be read: {error.strerror}") from error
    if len(data) > _MAXIMUM_PROFILE_BYTES:
        raise ProfileError(f"{path} is larger than {_MAXIMUM_PROFILE_BYTES} bytes: not a profile.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path} is not UTF-8 text: {error}") from error


def _table(document: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    table = document.get(name)
    if not isinstance(table, Mapping):
        raise ProfileError(f"{where} has no [{name}] table.")
    return table


def _kind(source: Mapping[str, Any], where: str) -> str:
    kind = source.get("kind")
    public = tuple(name for name in KINDS if name != "demo")
    if not isinstance(kind, str) or kind not in KINDS:
        near = did_you_mean(str(kind), public) if kind is not None else ""
        given = "[source] has no `kind`" if kind is None else f"{kind!r} is not a kind of source"
        raise ProfileError(f"{where}: {given}; there are {listing(public)}.{near}")
    return kind


def _refuse_unknown(
    table: Mapping[str, Any], known: tuple[str, ...], *, where: str, what: Literal["table", "key"]
) -> None:
    for name in table:
        if name not in known:
            shown = f"[{name}]" if what == "table" else repr(name)
            raise ProfileError(
                f"{where}: unknown {what} {shown}.{did_you_mean(name, known)} Known are {listing(known)}."
            )


def _columns(table: Mapping[str, Any], source: Mapping[str, Any], where: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for name, source_column in table.items():
        if name == MOVIE_ID:
            raise ProfileError(f"{where} [columns]: `movie_id` is made of `key` in [source]; remove it here.")
        if name == EXTRA:
            raise ProfileError(f"{where} [columns]: `extra` gathers what is not named; it cannot be mapped.")
        if name not in MAPPABLE_COLUMNS:
            raise ProfileError(
                f"{where} [columns]: {name!r} is not a column of the contract (contract column = source column)."
                f"{did_you_mean(name, MAPPABLE_COLUMNS)} There are {listing(MAPPABLE_COLUMNS)}."
            )
        if not isinstance(source_column, str) or not source_column:
            raise ProfileError(f"{where} [columns]: {name} must name one source column, as text.")
        columns[name] = source_column
    updated_at = source.get("updated_at")
    if updated_at is not None:
        if not isinstance(updated_at, str) or not updated_at:
            raise ProfileError(f"{where} [source]: updated_at must name one source column, as text.")
        if columns.setdefault(UPDATED_AT, updated_at) != updated_at:
            raise ProfileError(
                f"{where}: updated_at is {updated_at!r} in [source] and {columns[UPDATED_AT]!r} in [columns]; "
                "name it once."
            )
    return columns


def _check(profile: Profile, where: str) -> None:
    if SOURCE_NAME.fullmatch(profile.name) is None:
        raise ProfileError(
            f"{where}: {profile.name!r} cannot be the name of a source (small letters, digits, '-' and '_', at "
            'most 63). Set name = "…" in [source].'
        )
    if TITLE not in profile.columns:
        raise ProfileError(f'{where} [columns]: no source column for `title`; add title = "…".')
    if len(set(profile.key)) != len(profile.key) or not all(profile.key):
        raise ProfileError(f"{where}: key = {list(profile.key)} must name each source column once.")
    for name in sorted(profile.optional):
        if name not in profile.columns or name == TITLE:
            raise ProfileError(
                f"{where}: optional names {name!r}, which is not a mapped column other than title."
                f"{did_you_mean(name, profile.columns)}"
            )


def _check_incremental(profile: Profile, source: Mapping[str, Any], where: str) -> None:
    if not getattr(profile.parameters, "incremental", False):
        return
    if UPDATED_AT not in profile.columns or UPDATED_AT in profile.optional:
        raise ProfileError(
            f"{where}: incremental = true needs updated_at = the source column that says when a row was changed, "
            "and that column may not be optional."
        )
    if "load_type" in source:
        raise ProfileError(
            f"{where}: incremental = true decides load_type by itself: full the first time, delta after. Remove it."
        )


def _sentences(error: ValidationError) -> str:
    """What is wrong, without the offending input: it may be a secret in the wrong place."""
    found: dict[str, str] = {}
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        # A union's members ("url.str", "url.SecretReference.env") are how pydantic counts, not what people wrote.
        place = str(item["loc"][0]) if item["loc"] else ""
        message = item["msg"].removeprefix("Value error, ")
        found.setdefault(f"{place}: {message}" if place else message, "")
    return "; ".join(found)
