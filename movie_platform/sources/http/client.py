"""Asking an API for JSON objects: rate-limited, cached, again where that can help, with errors that say what to do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import httpx
from pydantic import SecretStr

from movie_platform import __version__
from movie_platform.retrying import retried
from movie_platform.sources.http.cache import AnswerCache, StoredAnswer
from movie_platform.sources.http.parameters import HttpParameters
from movie_platform.sources.http.quota import DailyQuota
from movie_platform.sources.http.rate_limiter import RateLimiter
from movie_platform.sources.http.retries import LONGEST_PAUSE_SECONDS, Again, Backoff, may_heal, retry_after
from movie_platform.sources.http.transport import Credential, CredentialTransport
from movie_platform.sources.json_records import Record, decode_object
from movie_platform.sources.rejections import printable
from movie_platform.sources.source_errors import (
    MalformedSource,
    SourceAuthenticationError,
    SourceError,
    SourceNotFound,
    SourceQuotaExceeded,
    SourceUnavailable,
)
from movie_platform.waiting import Deadline

CACHE_FOLDER = "http_cache"
_CONNECT_SECONDS = 10.0
_LONGEST_BODY = 32 * 1024 * 1024
_LONGEST_EXCERPT = 200
_JSON_TYPE = re.compile(r"(?:application|text)/(?:[\w.-]+\+)?json\b", re.IGNORECASE)
_REDIRECTS = range(300, 400)
_OK = frozenset({200})

Refusal = Callable[[int, Record], SourceError | None]


class MalformedAnswer(MalformedSource):
    """One answer is not what the API promises; `text` is what came."""

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object that an API answered with; numbers are their literal text."""

    status: int
    document: Record
    text: str


@dataclass(frozen=True, slots=True)
class Api:
    """What the client has to know of an API.

    `name` is for messages; `refusal` makes an error of a status and an answer where the API says more than HTTP does;
    `how_to_log_in` ends the message of a refused credential.
    """

    name: str
    credential: Credential
    how_to_log_in: str
    refusal: Refusal = lambda _status, _document: None


def usable_secret(secret: SecretStr, where: str) -> SecretStr:
    """The secret without blanks around it, such as the line end of a file.

    Raises SourceAuthenticationError for one that no HTTP request can carry.
    """
    text = secret.get_secret_value().strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise SourceAuthenticationError(
            f"{where} is empty or holds characters that no key or token has; copy it once more."
        )
    return SecretStr(text)


def cache_path(home: Path, source: str) -> Path:
    """Where the answers to a source's requests are kept."""
    return home / CACHE_FOLDER / f"{source}.sqlite"


class ApiClient:
    """One extract's way to an API. Its methods may be called by several threads at once."""

    def __init__(
        self,
        api: Api,
        parameters: HttpParameters,
        *,
        cache: AnswerCache,
        quota: DailyQuota | None = None,
    ) -> None:
        self._api = api
        self._base_url = parameters.base_url
        self._seconds = parameters.timeout_seconds
        self._backoff = Backoff(parameters.backoff_seconds)
        self._attempts = parameters.attempts
        self._cache = cache
        self._quota = quota
        self._rate_limiter = RateLimiter(parameters.requests_per_second)
        limits = httpx.Limits(
            max_connections=parameters.concurrency, max_keepalive_connections=parameters.concurrency
        )
        timeout = httpx.Timeout(self._seconds, connect=min(_CONNECT_SECONDS, self._seconds))
        self._client = httpx.Client(
            transport=CredentialTransport(httpx.HTTPTransport(limits=limits), api.credential),
            timeout=timeout,
            follow_redirects=False,
            headers={"Accept": "application/json", "User-Agent": f"movie-platform/{__version__}"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def stop(self) -> None:
        """Send away all threads that wait for their turn."""
        self._rate_limiter.stop()

    def close(self) -> None:
        """Send away whoever waits, then close the connections and the cache's file."""
        self.stop()
        self._client.close()
        self._cache.close()

    def holds(self, path: str, parameters: Mapping[str, str]) -> bool:
        """Whether asking would cost no request, because the answer is kept."""
        return self._cache.holds(self._base_url + path, parameters, 0)

    def get(
        self,
        path: str,
        parameters: Mapping[str, str],
        *,
        accepted: frozenset[int] = _OK,
        reading: int = 0,
        paid: bool = False,
    ) -> Answer:
        """The answer to GET of a path, kept or fetched.

        Args:
            path: Below the base URL, with a slash at its beginning.
            parameters: The query, without credentials.
            accepted: Statuses whose answers are returned and kept; others are errors.
            reading: Other numbers ask anew for what was asked before on the same date.
            paid: The first request has been counted in the quota already.

        Raises SourceAuthenticationError, SourceQuotaExceeded, SourceNotFound, SourceUnavailable, MalformedAnswer,
        and Stopped when the client was closed meanwhile.
        """
        url = self._base_url + path
        kept = self._cache.get(url, parameters, reading)
        if kept is not None:
            return Answer(kept.status, decode_object(kept.text), kept.text)
        answer = self._retried(path, parameters, accepted, paid=paid)
        self._cache.put(url, parameters, reading, StoredAnswer(answer.status, answer.text))
        return answer

    def _retried(
        self, path: str, parameters: Mapping[str, str], accepted: frozenset[int], *, paid: bool
    ) -> Answer:
        def request(attempt: int) -> Answer:
            if self._quota is not None and not (paid and attempt == 1):
                self._quota.consume()
            return self._send(path, parameters, accepted)

        try:
            return retried(
                request,
                attempts=self._attempts,
                is_transient=lambda error: isinstance(error, Again),
                pause=self._pause,
                sleep=self._rate_limiter.sleep,
            )
        except Again as failed:
            # Its own cause says what happened on the wire, without credentials.
            raise failed.final from failed.__cause__

    def _pause(self, attempt: int, failure: BaseException) -> float:
        return self._backoff.pause(attempt, failure.pause if isinstance(failure, Again) else None)

    def _send(self, path: str, parameters: Mapping[str, str], accepted: frozenset[int]) -> Answer:
        self._rate_limiter.acquire()
        deadline = Deadline(self._seconds)
        try:
            with self._client.stream("GET", self._base_url + path, params=dict(parameters)) as response:
                body = self._read(response, path, deadline)
        except httpx.DecodingError as error:
            raise Again(self._malformed(path, "its compression is damaged", "")) from error
        except httpx.TransportError as error:
            raise Again(self._unavailable(path, f"{type(error).__name__}: {error}")) from error
        return self._judge(path, response, body, accepted)

    def _read(self, response: httpx.Response, path: str, deadline: Deadline) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > _LONGEST_BODY:
                raise self._malformed(path, f"it is longer than {_LONGEST_BODY} bytes", "")
            if deadline.passed:
                raise Again(self._unavailable(path, f"the answer took longer than {self._seconds:g} seconds"))
        return b"".join(chunks)

    def _judge(self, path: str, response: httpx.Response, body: bytes, accepted: frozenset[int]) -> Answer:
        status = response.status_code
        text = self._api.credential.scrub(body.decode("utf-8", "replace"))
        if status in accepted:
            return Answer(status, self._document(path, response, text), text)
        raise self._refused(path, response, text)

    def _document(self, path: str, response: httpx.Response, text: str) -> Record:
        content_type = response.headers.get("content-type", "")
        if _JSON_TYPE.match(content_type) is None:
            shown = printable(content_type[:100]) or "no content type"
            if response.status_code not in _OK:
                raise self._missing(path)
            raise Again(self._malformed(path, f"it is {shown}, not JSON", text))
        try:
            return decode_object(text)
        except ValueError as error:
            raise Again(
                self._malformed(path, f"it is not the JSON that was promised: {error}", text)
            ) from None

    def _refused(self, path: str, response: httpx.Response, text: str) -> Exception:
        """What to raise for an answer with a status that is not accepted."""
        status = response.status_code
        try:
            document = decode_object(text)
        except ValueError:
            document = {}
        said = self._api.refusal(status, document)
        if said is not None:
            return said
        where = f"{self._api.name} at {self._base_url}"
        if status in (401, 403):
            return SourceAuthenticationError(
                f"{where} refuses the credentials (HTTP {status}). {self._api.how_to_log_in}"
            )
        if may_heal(status):
            return self._again(path, status, response.headers.get("retry-after"))
        if status in _REDIRECTS:
            return MalformedSource(
                f"{where} redirects {path} elsewhere (HTTP {status}), where the credentials are not sent; set base_url "
                "to where the API is now."
            )
        if status == 404:
            return self._missing(path)
        return MalformedSource(f"{where} does not accept {path} (HTTP {status}): {_excerpt(text)}")

    def _again(self, path: str, status: int, header: str | None) -> Exception:
        pause = retry_after(header, datetime.now(UTC))
        final: SourceError
        if status == 429:
            final = SourceQuotaExceeded(
                f"{self._api.name} at {self._base_url} refuses more requests for now (HTTP 429)"
                f"{'' if pause is None else f' and asks to wait {pause:.0f} seconds'}. Run it again later: what was "
                "fetched is kept. Lower requests_per_second if others use the same key."
            )
        else:
            final = self._unavailable(path, f"HTTP {status}")
        if pause is not None and pause > LONGEST_PAUSE_SECONDS:
            return final
        if pause is not None:
            self._rate_limiter.hold(pause)
        return Again(final, pause)

    def _unavailable(self, path: str, why: str) -> SourceUnavailable:
        return SourceUnavailable(
            f"{self._api.name} at {self._base_url} does not answer {path} ({printable(why)}). Check the address and "
            "the network; what was fetched so far is kept, and a rerun goes on from there."
        )

    def _missing(self, path: str) -> SourceNotFound:
        return SourceNotFound(
            f"{self._api.name}: there is nothing at {self._base_url}{path} (HTTP 404). Check base_url."
        )

    def _malformed(self, path: str, why: str, text: str) -> MalformedAnswer:
        shown = f" It begins {_excerpt(text)}" if text else ""
        return MalformedAnswer(
            f"{self._api.name} at {self._base_url}: the answer to {path} cannot be used: {why}.{shown}", text
        )


def open_client(
    api: Api,
    parameters: HttpParameters,
    *,
    home: Path,
    source: str,
    dt: date,
    quota: DailyQuota | None = None,
    cached: bool = True,
) -> ApiClient:
    """A client whose answers are kept in the home, for a source and the date that an extract describes."""
    cache = AnswerCache(
        cache_path(home, source),
        dt=dt,
        hours=parameters.cache_hours if cached else 0,
        gigabytes=parameters.cache_gigabytes,
    )
    return ApiClient(api, parameters, cache=cache, quota=quota)


def _excerpt(text: str) -> str:
    return repr(printable(text[:_LONGEST_EXCERPT]))
