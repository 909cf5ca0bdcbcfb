"""The AWS server of a local cloud: MiniStack in a process of its own, on 127.0.0.1, with its state kept as it
changes.

`python -m movie_platform.local_cloud.aws --home HOME --port PORT`; everything else about it is set in the
environment (`services.py`), which MiniStack reads when it is imported.

MiniStack writes objects to disk at once, but all else (settings of buckets, queues and their messages,
functions, stacks, the catalog, log events) only when it is asked to end, and `kill -9` does not ask. This
process therefore also saves that state shortly after calls that may have changed it, in MiniStack's own
format and by its own functions. Nor does MiniStack ask who calls: requests of web pages never reach it.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from movie_platform.local_cloud.ports import LOOPBACK
from movie_platform.local_cloud.snowflake.protocol.loopback_guard import (
    App,
    LoopbackGuard,
    Receive,
    Scope,
    Send,
)

_LOG = logging.getLogger(__name__)

# Saving waits this long for more changes, and then until it takes at most a twentieth of the time.
_SETTLE_SECONDS = 0.5
_REST_FACTOR = 19.0
_KEEP_ALIVE_SECONDS = 75

_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_OPERATIONS = ("Describe", "Get", "Head", "List", "BatchGet", "FilterLogEvents", "ReceiveMessage")


class StateKeeper:
    """Wraps MiniStack's application and has its state saved after calls that may have changed it."""

    def __init__(self, app: App, save: Callable[[], bool]) -> None:
        """`save` writes the state and returns whether all of it could be copied."""
        self._app = app
        self._save = save
        self._changed = asyncio.Event()
        self._saving = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a scope on to MiniStack (ASGI), and note when its request may have changed something."""
        if scope["type"] == "lifespan":
            await self._app(scope, self._undisturbed(receive), send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http" and may_change_state(scope):
                self._changed.set()

    async def run(self) -> None:
        """Save after changes, until cancelled."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(_SETTLE_SECONDS)
            self._changed.clear()
            begin = time.monotonic()
            async with self._saving:
                complete = await asyncio.to_thread(self._save)
            if not complete:
                self._changed.set()
            await asyncio.sleep((time.monotonic() - begin) * _REST_FACTOR)

    def _undisturbed(self, receive: Receive) -> Receive:
        async def wait() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                # MiniStack saves now by itself, into the same temporary files: never both at once.
                await self._saving.acquire()
            return message

        return wait


def may_change_state(scope: Scope) -> bool:
    """Whether a request may have changed what MiniStack keeps, by its method and the operation's name."""
    if scope["method"] in _READING_METHODS:
        return False
    for name, value in scope["headers"]:
        if name.lower() == b"x-amz-target":
            return not value.decode("latin-1").rpartition(".")[2].startswith(_READING_OPERATIONS)
    # Operations of the older protocols are named in the body: taken for changes.
    return True


def _save_state() -> bool:
    # Not at the top: MiniStack reads the environment when it is imported.
    from ministack import app as ministack_app
    from ministack.core import persistence

    complete = True
    for name, state_of in ministack_app._build_persistence_save_dict().items():  # noqa: SLF001 - no public way to save
        try:
            state = state_of()
        except RuntimeError:
            # A request changed it while it was copied; the caller tries again.
            complete = False
            continue
        if state is not None:
            persistence.save_state(name, state)
    return complete


async def _serve(port: int) -> None:
    from ministack.app import app

    # Each save would be a line a service.
    logging.getLogger("persistence").setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"{LOOPBACK}:{port}"]
    config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
    config.loglevel = "WARNING"
    keeper = StateKeeper(app, _save_state)
    saving = asyncio.create_task(keeper.run())
    try:
        await serve(LoopbackGuard(keeper), config)
    finally:
        saving.cancel()


def main() -> None:
    """Serve until the process is asked to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--home", required=True, help="the home; names the process, the paths come from the environment"
    )
    parser.add_argument("--port", required=True, type=int)
    options = parser.parse_args()
    asyncio.run(_serve(options.port))


if __name__ == "__main__":
    main()
