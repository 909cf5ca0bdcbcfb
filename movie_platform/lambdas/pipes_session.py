"""Telling Dagster what the function did, where Dagster called it: its log shows one line an object."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from movie_platform.bundles.bundle_error import printable
from movie_platform.lambdas.answers import Answer

if TYPE_CHECKING:
    from dagster_pipes import PipesContext

_PIPES_CONTEXT = "DAGSTER_PIPES_CONTEXT"


@contextmanager
def opened(event: Mapping[str, Any]) -> Iterator["PipesContext | None"]:
    """A Dagster Pipes session when the event carries one, None otherwise."""
    if _PIPES_CONTEXT not in event:
        yield None
        return
    # Here, so that a cold start for S3's event, which carries no session, does without it.
    import dagster_pipes

    # A warm function still has the closed context of the call before, and open_dagster_pipes would hand it
    # out again (https://github.com/dagster-io/dagster/issues/22094). There is no other way to reset it.
    dagster_pipes.PipesContext.set(cast("PipesContext", None))
    loader = dagster_pipes.PipesMappingParamsLoader(event)
    with dagster_pipes.open_dagster_pipes(params_loader=loader) as session:
        yield session


def tell(session: "PipesContext | None", results: Iterable[Answer]) -> None:
    """Logs a line for each result to the session, if there is one."""
    if session is not None:
        for result in results:
            session.log.info(summary(result))


def summary(result: Answer) -> str:
    """One short line: Dagster reads messages from the last 4 KB of the log."""
    reason = result["reason"]
    detail = (
        f"{reason['code']}: {reason['message']}"
        if reason
        else f"batch {result['batch_id']}, {result['rows']} rows, {len(result['files'])} files"
    )
    again = " (done before)" if result["already_done"] else ""
    return printable(f"{result['status']}{again}: {result['key']}: {detail}", 600)
