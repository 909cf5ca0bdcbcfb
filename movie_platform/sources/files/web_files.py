"""Files behind web addresses, as streams: waited for within bounds, asked for again where that can help.

A transfer that breaks off goes on where it stopped, if the server can say that the file is still the same; else the
file cannot be told from another one, and reading fails.
"""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from movie_platform import __version__
from movie_platform.retrying import retried
from movie_platform.sources.http.retries import LONGEST_PAUSE_SECONDS, Backoff, may_heal, retry_after
from movie_platform.sources.source_errors import (
    SourceAuthenticationError,
    SourceError,
    SourceNotFound,
    SourceUnavailable,
)

# Attempts without a byte of progress, the first one included.
ATTEMPTS = 4
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_BACKOFF = Backoff(first=0.5, longest=10.0)
_RANGE = re.compile(r"bytes (\d+)-")


class WebFile(io.RawIOBase):
    """One file's bytes as they are. Raises SourceError when it is opened or, later, read."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._uri = uri
        self._client = httpx.Client(
            timeout=_TIMEOUT,
            follow_redirects=True,
            # The bytes of the file, not of a packed form of it: positions must mean the same in each transfer.
            headers={"Accept-Encoding": "identity", "User-Agent": f"movie-platform/{__version__}"},
        )
        self._position = 0
        self._validator: str | None = None
        self._left = b""
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())
        try:
            self._persist(self._connect)
        except BaseException:
            self.close()
            raise

    def readable(self) -> bool:
        """True, always: io.BufferedReader takes no stream that says otherwise."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what comes next, connecting again where the last connection broke; 0 at the end."""
        if not self._left:
            self._left = self._persist(self._next_chunk)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        """Give up the transfer, wherever it is, and close the connection."""
        if self._response is not None:
            self._response.close()
        self._client.close()
        super().close()

    def _persist(self, step: Any) -> Any:
        """What a step gives, tried again within bounds when it fails in a way that may heal."""
        tried = 0

        def connected_step(attempt: int) -> Any:
            nonlocal tried
            tried = attempt
            if self._response is None:
                self._connect()
            return step()

        try:
            return retried(connected_step, attempts=ATTEMPTS, is_transient=_is_transient, pause=_pause)
        except _AgainError as again:
            raise SourceUnavailable(
                f"{self._uri} does not answer as it should: {again.reason} ({tried} attempts)."
            ) from again.__cause__

    def _next_chunk(self) -> bytes:
        try:
            chunk = next(self._chunks, b"")
        except httpx.TransportError as error:
            self._drop()
            raise _AgainError(
                f"the transfer broke off at byte {self._position} ({_reason(error)})"
            ) from error
        self._position += len(chunk)
        return chunk

    def _connect(self) -> None:
        if self._response is not None:
            return
        headers = {}
        if self._position:
            if self._validator is None:
                raise SourceUnavailable(
                    f"{self._uri} broke off at byte {self._position}, and its server names no version of the file by "
                    "which to go on; run the extract again."
                )
            headers = {"Range": f"bytes={self._position}-", "If-Range": self._validator}
        try:
            request = self._client.build_request("GET", self._uri, headers=headers)
            response = self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise _AgainError(_reason(error)) from error
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise SourceNotFound(f"{self._uri} leads nowhere: {_reason(error)}.") from error
        try:
            self._accept(response)
        except BaseException:
            response.close()
            raise
        self._response = response
        # As they come: gathered into larger chunks, what came before a transfer broke off would be lost.
        self._chunks = response.iter_raw()

    def _accept(self, response: httpx.Response) -> None:
        status = response.status_code
        if may_heal(status):
            pause = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
            raise _AgainError(f"HTTP {status}", pause)
        if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise http_error(self._uri, status)
        if self._position:
            found = _RANGE.match(response.headers.get("Content-Range", ""))
            if status != httpx.codes.PARTIAL_CONTENT or found is None or int(found[1]) != self._position:
                raise SourceUnavailable(
                    f"{self._uri} broke off at byte {self._position}, and the file has changed since or its server "
                    "cannot go on from there; run the extract again."
                )
            return
        tag = response.headers.get("ETag", "")
        # A weak tag does not promise the same bytes.
        self._validator = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")

    def _drop(self) -> None:
        if self._response is not None:
            self._response.close()
        self._response = None


class _AgainError(Exception):
    """A step failed in a way that may heal; `pause` is what the server asked for, in seconds."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pause = pause


def _is_transient(error: BaseException) -> bool:
    """Whether it may heal, and within a time that is waited for in a run."""
    return isinstance(error, _AgainError) and (error.pause is None or error.pause <= LONGEST_PAUSE_SECONDS)


def _pause(attempt: int, error: BaseException) -> float:
    return _BACKOFF.pause(attempt, error.pause if isinstance(error, _AgainError) else None)


def http_error(uri: str, status: int) -> SourceError:
    """What a status means that trying again does not change."""
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return SourceNotFound(f"there is nothing at {uri} (HTTP {status}).")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return SourceAuthenticationError(f"{uri} may not be read (HTTP {status}).")
    return SourceUnavailable(f"{uri} does not answer as it should (HTTP {status}).")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
