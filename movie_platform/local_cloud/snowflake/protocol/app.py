"""The HTTP side: the requests that the Snowflake connector makes.

HTTP 500 never leaves the server, because the connector would retry it for minutes: every failure is an answer with
`success: false`. A statement that takes long is answered with "in progress" and an address to ask again, as Snowflake
does; a request that is repeated after a broken connection gets the first one's answer instead of running twice.
"""

import asyncio
import gzip
import json
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fakesnow.transforms import SERVER_VERSION
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from movie_platform.local_cloud.snowflake.background.services import Services
from movie_platform.local_cloud.snowflake.errors import SnowflakeError, from_exception
from movie_platform.local_cloud.snowflake.protocol.answers import ResultStore
from movie_platform.local_cloud.snowflake.protocol.login import Authenticator
from movie_platform.local_cloud.snowflake.protocol.loopback_guard import LoopbackGuard
from movie_platform.local_cloud.snowflake.session import Session, Statement, new_query_id
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.privileges import PUBLIC, Securable
from movie_platform.local_cloud.snowflake.statements.authorizing import may, sees
from movie_platform.local_cloud.snowflake.statements.router import Router
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.bindings import parse_bindings
from movie_platform.local_cloud.snowflake.text.names import Name
from movie_platform.local_cloud.snowflake.text.session_parameters import PARAMETERS
from movie_platform.local_cloud.snowflake.text.tokens import parse_name

logger = logging.getLogger(__name__)

_IN_PROGRESS = "333333"
_ANSWER_WITHIN_SECONDS = 40.0
_IDLE_SESSION_SECONDS = 4 * 3600.0
_REMEMBERED_REQUESTS = 500
_WORKERS = 32

Answer = dict[str, Any]


@dataclass
class _Running:
    """A statement that was submitted: its future and whose it is."""

    future: "Future[Answer]"
    session: Session
    request_id: str


class Server:
    """The state behind the routes."""

    def __init__(self, account: Account, services: Services, authenticator: Authenticator) -> None:
        self._account = account
        self._services = services
        self._router = Router()
        self._authenticator = authenticator
        self._results = ResultStore(account.engine.warehouse / "results")
        self._sessions: dict[str, Session] = {}
        self._running: OrderedDict[str, _Running] = OrderedDict()
        self._queries_of_requests: dict[str, str] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="statement")

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/health", self._health),
                Route("/session/v1/login-request", self._guarded(self._login), methods=["POST"]),
                Route("/session", self._guarded(self._end_session), methods=["POST"]),
                Route("/session/heartbeat", self._guarded(self._heartbeat), methods=["POST"]),
                Route("/queries/v1/query-request", self._guarded(self._query), methods=["POST"]),
                Route("/queries/v1/abort-request", self._guarded(self._abort), methods=["POST"]),
                Route("/queries/{query_id}/result", self._guarded(self._poll), methods=["GET"]),
                Route("/monitoring/queries/{query_id}", self._guarded(self._monitor), methods=["GET"]),
                Route("/results/{query_id}/{chunk}", self._chunk, methods=["GET"]),
                Route("/telemetry/send", self._guarded(self._telemetry), methods=["POST"]),
            ],
            middleware=[Middleware(LoopbackGuard)],
            exception_handlers={Exception: _last_resort},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._services.start()
        try:
            yield
        finally:
            await run_in_threadpool(self._shut_down)

    def _shut_down(self) -> None:
        for session in list(self._sessions.values()):
            session.interrupt()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._services.stop()
        for session in list(self._sessions.values()):
            session.close()
        self._account.engine.close()

    def _guarded(self, handler: Any) -> Any:
        async def guarded(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as error:
                failure = from_exception(error)
                if failure.number == 603:
                    logger.exception("Internal error in %s", request.url.path)
                return JSONResponse(_failure(failure, None))

        return guarded

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "sessions": len(self._sessions)})

    async def _telemetry(self, _request: Request) -> Response:
        return JSONResponse({"success": True, "code": None, "message": None, "data": "Log Received"})

    # --- sessions

    async def _login(self, request: Request) -> Response:
        data = (await _body(request)).get("data") or {}
        query = request.query_params
        session = await run_in_threadpool(self._open_session, data, dict(query))
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[token] = session
        logger.info("%s logged in (role %s, session %d)", session.user, session.role, session.session_id)
        return JSONResponse(
            {
                "success": True,
                "code": None,
                "message": None,
                "data": {
                    "token": token,
                    "masterToken": secrets.token_urlsafe(32),
                    "validityInSeconds": 3600 * 24 * 365,
                    "masterValidityInSeconds": 3600 * 24 * 365,
                    "serverVersion": SERVER_VERSION,
                    "sessionId": session.session_id,
                    "displayUserName": session.user,
                    "parameters": _parameters(session),
                    "sessionInfo": {
                        "databaseName": session.database,
                        "schemaName": session.schema,
                        "warehouseName": session.warehouse,
                        "roleName": session.role,
                    },
                },
            }
        )

    def _open_session(self, data: dict[str, Any], query: dict[str, str]) -> Session:
        user = self._authenticator.login(data)
        access = self._account.access
        held = access.privileges.with_inherited(access.privileges.roles_of_user(user.name))
        asked = _identifier(query.get("roleName"))
        if asked is not None and asked not in held:
            raise SnowflakeError(
                390189,
                "08001",
                f"Role '{asked}' specified in the connect string does not exist or not authorized. "
                "Contact your local system administrator, or attempt to login with another role, e.g. PUBLIC.",
            )
        default = str(user.properties.get("DEFAULT_ROLE", PUBLIC)).upper()
        role = asked or (default if default in held else PUBLIC)
        self._close_idle_sessions()
        self._results.sweep()
        session = Session(
            self._account,
            self._router,
            user.name,
            role,
            parameters=_given(data.get("SESSION_PARAMETERS")),
            # "DEFAULT_SECONDARY_ROLES": ('ALL') unless the user's list is empty.
            secondary_roles=tuple(user.properties.get("DEFAULT_SECONDARY_ROLES", ("ALL",))) != (),
        )
        # A database, schema or warehouse that does not exist is no error at login, as on Snowflake: none is current.
        default_warehouse = user.properties.get("DEFAULT_WAREHOUSE")
        warehouse = _identifier(query.get("warehouse") or (default_warehouse and str(default_warehouse)))
        if warehouse and may(session, Securable("WAREHOUSE", warehouse), "USAGE"):
            session.warehouse = warehouse
        database, schema = _identifier(query.get("databaseName")), _identifier(query.get("schemaName"))
        engine = self._account.engine
        if database in engine.databases() and sees(session, Securable.database(database or "")):
            there = schema and engine.has_schema(database or "", schema)
            found = (
                schema if there and sees(session, Securable.schema(database or "", schema or "")) else None
            )
            session.translator.use(database, found)
        return session

    def _close_idle_sessions(self) -> None:
        with self._lock:
            limit = time.monotonic() - _IDLE_SESSION_SECONDS
            idle = [token for token, session in self._sessions.items() if session.used_at < limit]
            closed = [self._sessions.pop(token) for token in idle]
        for session in closed:
            session.close()

    def _session(self, request: Request) -> Session:
        header = request.headers.get("Authorization", "")
        token = header.removeprefix('Snowflake Token="').removesuffix('"')
        session = self._sessions.get(token)
        if session is None:
            raise SnowflakeError(
                390111, "08001", "Session no longer exists. New login required to access the service."
            )
        return session

    async def _end_session(self, request: Request) -> Response:
        header = request.headers.get("Authorization", "")
        token = header.removeprefix('Snowflake Token="').removesuffix('"')
        if request.query_params.get("delete"):
            with self._lock:
                session = self._sessions.pop(token, None)
            if session is not None:
                await run_in_threadpool(session.close)
        return JSONResponse({"success": True, "code": None, "message": None, "data": None})

    async def _heartbeat(self, request: Request) -> Response:
        self._session(request).used_at = time.monotonic()
        return JSONResponse({"success": True, "code": None, "message": None, "data": None})

    # --- statements

    async def _query(self, request: Request) -> Response:
        session = self._session(request)
        body = await _body(request)
        query_id = self._submit(
            session, body, request.query_params.get("requestId") or "", _base_url(request)
        )
        return await self._answer(query_id)

    def _submit(self, session: Session, body: dict[str, Any], request_id: str, base_url: str) -> str:
        with self._lock:
            if request_id and request_id in self._queries_of_requests:
                return self._queries_of_requests[request_id]
            query_id = new_query_id()
            future = self._pool.submit(self._run, session, body, query_id, base_url)
            self._running[query_id] = _Running(future, session, request_id)
            if request_id:
                self._queries_of_requests[request_id] = query_id
            while (
                len(self._running) > _REMEMBERED_REQUESTS and next(iter(self._running.values())).future.done()
            ):
                _, oldest = self._running.popitem(last=False)
                self._queries_of_requests.pop(oldest.request_id, None)
        return query_id

    async def _answer(self, query_id: str) -> Response:
        running = self._running.get(query_id)
        if running is None:
            raise SnowflakeError(709, "02000", f"Statement {query_id} not found")
        future = asyncio.wrap_future(running.future)
        try:
            return JSONResponse(await asyncio.wait_for(asyncio.shield(future), _ANSWER_WITHIN_SECONDS))
        except TimeoutError:
            return JSONResponse(
                {
                    "success": True,
                    "code": _IN_PROGRESS,
                    "message": "Query execution in progress.",
                    "data": {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result"},
                }
            )

    def _run(self, session: Session, body: dict[str, Any], query_id: str, base_url: str) -> Answer:
        try:
            statement = Statement(
                str(body.get("sqlText") or ""),
                parse_bindings(body.get("bindings")),
                query_id,
                describe_only=bool(body.get("describeOnly")),
            )
            return session.execute(
                statement, lambda result: self._success(session, statement, result, base_url)
            )
        except Exception as error:  # noqa: BLE001 - a failed statement is an answer
            failure = from_exception(error)
            logger.info("Statement %s failed: %s %s", query_id, failure.code, failure.message)
            return _failure(failure, query_id)

    def _success(
        self, session: Session, statement: Statement, result: result_set.Result, base_url: str
    ) -> Answer:
        rows, kept = self._results.answer(result, statement.query_id, base_url)
        if kept is not None:
            session.keep_result(statement.query_id, kept)
        return {
            "success": True,
            "code": None,
            "message": None,
            "data": {
                "parameters": _parameters(session),
                "rowtype": [column.rowtype() for column in result.columns],
                "queryId": statement.query_id,
                "statementTypeId": result.statement_type,
                "numberOfBinds": len(statement.bindings.values),
                "arrayBindSupported": result.statement_type == result_set.INSERT,
                "finalDatabaseName": session.database,
                "finalSchemaName": session.schema,
                "finalWarehouseName": session.warehouse,
                "finalRoleName": session.role,
                "databaseProvider": None,
                "version": 1,
                **rows,
            },
        }

    async def _poll(self, request: Request) -> Response:
        self._session(request)
        return await self._answer(request.path_params["query_id"])

    async def _abort(self, request: Request) -> Response:
        session = self._session(request)
        body = await _body(request)
        query_id = self._queries_of_requests.get(str(body.get("requestId") or ""))
        running = self._running.get(query_id or "")
        if running is not None and running.session is session and not running.future.done():
            session.interrupt()
        return JSONResponse({"success": True, "code": None, "message": None, "data": None})

    async def _monitor(self, request: Request) -> Response:
        self._session(request)
        query_id = request.path_params["query_id"]
        running = self._running.get(query_id)
        if running is None:
            return JSONResponse({"success": True, "data": {"queries": []}})
        status = "RUNNING"
        if running.future.done():
            status = "SUCCESS" if running.future.result()["success"] else "FAILED_WITH_ERROR"
        return JSONResponse({"success": True, "data": {"queries": [{"id": query_id, "status": status}]}})

    async def _chunk(self, request: Request) -> Response:
        path = self._results.path(request.path_params["query_id"], request.path_params["chunk"])
        if path is None:
            return JSONResponse(
                {"success": False, "message": "This part of a result is gone."}, status_code=404
            )
        return FileResponse(path, media_type="application/octet-stream")


async def _last_resort(_request: Request, error: Exception) -> Response:
    return JSONResponse(_failure(from_exception(error), None))


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        if request.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        body = json.loads(raw)
    except (ValueError, OSError, EOFError) as error:
        raise SnowflakeError(390105, "08001", f"The request is not readable: {error}") from error
    if not isinstance(body, dict):
        raise SnowflakeError(390105, "08001", "The request is no JSON object.")
    return body


def _failure(failure: SnowflakeError, query_id: str | None) -> Answer:
    return {
        "success": False,
        "code": failure.code,
        "message": failure.message,
        "data": {
            "internalError": False,
            "errorCode": failure.code,
            "sqlState": failure.sqlstate,
            "queryId": query_id,
        },
    }


def _given(parameters: dict[str, Any] | None) -> dict[str, Any]:
    # What a client sets at login, names in upper case; what only clients know is kept as it is.
    named = {name.upper(): value for name, value in (parameters or {}).items()}
    return {
        name: PARAMETERS[name].value(value) if name in PARAMETERS else value for name, value in named.items()
    }


def _parameters(session: Session) -> list[dict[str, Any]]:
    return [
        *({"name": name, "value": value} for name, (value, _) in session.effective.items()),
        {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
        # 0: arrays are bound inside the request; otherwise the client would stage them with PUT.
        {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
        {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
    ]


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _identifier(text: str | None) -> str | None:
    if not text:
        return None
    name: Name = parse_name(text)
    return name.name
