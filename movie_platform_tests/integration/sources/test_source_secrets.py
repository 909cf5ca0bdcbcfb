"""Keys and tokens of API sources stay where they belong: not in logs, manifests, exceptions, caches or progress."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from movie_platform.settings import Settings
from movie_platform.sources.progress import listening
from movie_platform.sources.source_errors import SourceError
from movie_platform_tests.fakes.omdb import KEY, FakeOmdb
from movie_platform_tests.fakes.omdb import films as omdb_films
from movie_platform_tests.fakes.server import (
    FakeServer,
    Fault,
    Reply,
    as_web_page,
    malformed,
    status,
    truncated,
)
from movie_platform_tests.fakes.tmdb import TOKEN, FakeTmdb
from movie_platform_tests.fakes.tmdb import films as tmdb_films
from movie_platform_tests.integration.api_sources import (
    KEY_VARIABLE,
    SECRETS,
    TOKEN_VARIABLE,
    extracted,
    write_profile,
    written,
)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    # Everything that any library says, the connection's own tracing included.
    caplog.set_level(logging.DEBUG)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


SECRET_OF = {"tmdb": TOKEN, "omdb": KEY}


def repeating(secret: str) -> Callable[[Reply], Reply]:
    """The right answer of a server that repeats the credential in it, in a field that the extract keeps."""
    return lambda reply: Reply(
        reply.status, reply.body.replace('"Drama"', f'"Drama {secret}"').replace("Things", f"Things {secret}")
    )


def profile(folder: Path, kind: str, fake: FakeServer) -> Path:
    (folder / "ids.txt").write_text("tt0000001\ntt0000002\ntt0000003\n", "utf-8")
    keys = {"ids": "ids.txt"} if kind == "omdb" else {}
    return write_profile(folder, kind, fake.base_url, timeout_seconds=10, **keys)


def made(kind: str) -> FakeServer:
    return FakeOmdb(omdb_films(3)) if kind == "omdb" else FakeTmdb(tmdb_films(3))


def assert_free_of_secrets(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
        assert quote(secret) not in text


@pytest.mark.parametrize("kind", ["tmdb", "omdb"])
def test_an_extract_leaves_no_secret_anywhere(
    tmp_path: Path,
    settings: Settings,
    kind: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    told: list[str] = []
    with made(kind) as fake, listening(lambda progress: told.append(repr(progress))):
        fake.faults = [Fault(status(500)), Fault(truncated), Fault(repeating(SECRET_OF[kind]), times=10**6)]
        path = profile(tmp_path, kind, fake)
        manifest = written(path, settings, tmp_path / "extract")
    assert manifest.row_count == 3
    assert told
    kept = "".join(file.read_text("utf-8") for file in (tmp_path / "extract").rglob("*.csv"))
    assert "***" in kept
    # What was looked at is really there: the libraries talk, and answers are kept.
    assert "127.0.0.1" in caplog.text
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.suffix == ".sqlite" for file in files)
    for file in files:
        data = file.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in data, file
    assert_free_of_secrets(caplog.text)
    assert_free_of_secrets("".join(told))
    assert_free_of_secrets("".join(capfd.readouterr()))
    assert_free_of_secrets(str(manifest.to_dict()))


@pytest.mark.parametrize("kind", ["tmdb", "omdb"])
@pytest.mark.parametrize(
    "reply",
    [
        status(401),
        status(404),
        status(429),
        status(500),
        status(418),
        truncated,
        malformed,
        as_web_page,
        Reply(401, '{"Response": "False", "Error": "Invalid API key! SECRET"}'),
        Reply(418, "no tea for SECRET"),
        Reply(200, "[SECRET"),
    ],
)
def test_no_error_and_none_of_its_causes_shows_a_secret(
    tmp_path: Path, settings: Settings, kind: str, reply: object, caplog: pytest.LogCaptureFixture
) -> None:
    if isinstance(reply, Reply):
        reply = replace(reply, body=reply.body.replace("SECRET", SECRET_OF[kind]))
    with made(kind) as fake:
        fake.faults = [Fault(reply, times=10**6)]  # pyright: ignore[reportArgumentType] - as Fault takes it
        try:
            found = extracted(profile(tmp_path, kind, fake), settings)
        except SourceError as error:
            assert_free_of_secrets("".join(traceback.format_exception(error)))
            cause: BaseException | None = error
            while cause is not None:
                assert_free_of_secrets(repr(cause) + repr(vars(cause)) + repr(getattr(cause, "args", "")))
                request = getattr(cause, "_request", None)
                assert_free_of_secrets("" if request is None else f"{request.url} {request.headers}")
                cause = cause.__cause__ or cause.__context__
        else:
            assert found.rejected
            assert_free_of_secrets(repr(found.rejected))
    assert_free_of_secrets(caplog.text)
