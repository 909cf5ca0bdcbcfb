"""How the doctor finds out whether sources that are APIs answer and take the credentials."""

from collections.abc import Iterator

from movie_platform.commands import doctor_checks as checks
from movie_platform.commands.doctor_checks import Check, SourceTrouble
from movie_platform.settings import Settings, resolve_environment_secret
from movie_platform.sources.http.parameters import HttpParameters
from movie_platform.sources.profile import Profile
from movie_platform.sources.profiles import builtin_profile_names, load_profile, open_source
from movie_platform.sources.source_errors import (
    SourceAuthenticationError,
    SourceError,
    SourceQuotaExceeded,
    SourceUnavailable,
)


def examine_sources(settings: Settings, profile_name: str | None) -> Iterator[Check]:
    """A check for the profile that was named; else for the default one and the built-in APIs that have a key.

    An API is asked one question. Sources without one to ask (databases, files) are left to the run that reads them.
    """
    for name in [profile_name] if profile_name is not None else _names(settings):
        try:
            profile = load_profile(name, settings=settings)
        except SourceError as error:
            yield checks.check_source(name, SourceTrouble.PROFILE, error.message)
            continue
        yield from _probe(profile, settings, asked_for=profile_name is not None)


def _names(settings: Settings) -> list[str]:
    def has_key(name: str) -> bool:
        parameters = load_profile(name, settings=settings).parameters
        if not isinstance(parameters, HttpParameters) or parameters.credential.env is None:
            return False
        return resolve_environment_secret(parameters.credential.env) is not None

    return list(dict.fromkeys([settings.default_profile, *filter(has_key, builtin_profile_names())]))


def _probe(profile: Profile, settings: Settings, *, asked_for: bool) -> Iterator[Check]:
    source = open_source(profile, settings=settings)
    probe = getattr(source, "probe", None)
    if probe is None:
        if asked_for:
            yield checks.check_source(
                profile.name, None, f"a source of kind {profile.kind}: read by runs alone"
            )
        return
    trouble: SourceTrouble | None = None
    try:
        found = probe()
    except SourceError as error:
        found = error.message
        trouble = next(
            (
                named
                for kind, named in (
                    (SourceAuthenticationError, SourceTrouble.CREDENTIALS),
                    (SourceUnavailable, SourceTrouble.UNREACHABLE),
                    (SourceQuotaExceeded, SourceTrouble.QUOTA),
                )
                if isinstance(error, kind)
            ),
            SourceTrouble.OTHER,
        )
    yield checks.check_source(profile.name, trouble, found)
