"""Fails, and tells, when tables are older than their freshness policy: also when nothing ran at all.

Written by `movie-platform export airflow` from the asset graph: change the graph or the templates, not this file.
Needs Airflow 3.1 or later with the amazon and snowflake providers; deploy/airflow/README.md says how to run it.

Form and templates: a367a76debc6a1cd187de25fbfb85c1ce7b318649e15780ffd9414bbe843f8c5

Not carried over, or carried otherwise:
- the warning window of a freshness policy: Airflow has no state between good and failed
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.providers.amazon.aws.hooks.sns import SnsHook
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.providers.snowflake.hooks.snowflake import SnowflakeHook
from airflow.sdk import DAG, Context, Variable, task

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# The Airflow Variable that says where this deployment's buckets, function, job and topic are.
VARIABLE = "movie_platform"
AWS_CONNECTION = "aws_default"


def setting(name: str) -> str:
    """A deployment's setting. Raises AirflowFailException where the Variable does not have it."""
    found = Variable.get(VARIABLE, default={}, deserialize_json=True).get(name)
    if not found:
        raise AirflowFailException(
            f"the Airflow Variable {VARIABLE!r} has no {name!r}: deploy/airflow/README.md says how it is made"
        )
    return found


# SNS takes a subject of fewer than 100 ASCII characters.
SUBJECT_CHARACTERS = 99
TEXT_CHARACTERS = 4000


class CheckFailedError(AirflowFailException):
    """A blocking check did not hold. Trying again cannot help."""


class ToldAlreadyError(AirflowFailException):
    """A failure that somebody else has told of."""


def alert(kind: str, what: str, why: str, where: str, next_step: str) -> None:
    """Sends one message, in the form of all alerts of the platform, to the alert topic."""
    text = f"Movie Platform: {what}".splitlines()[0].encode("ascii", "replace").decode()
    fields = {"kind": kind, "what": what, "why": why, "where": where, "next": next_step}
    body = {name: value[:TEXT_CHARACTERS] for name, value in fields.items()}
    SnsHook(aws_conn_id=AWS_CONNECTION).publish_to_target(
        target_arn=setting("alert_topic_arn"),
        subject="".join(character for character in text if character.isprintable())[:SUBJECT_CHARACTERS],
        message=json.dumps({**body, "at": datetime.now(UTC).isoformat()}, ensure_ascii=False),
        message_attributes={"kind": kind},
    )


def tell_of_task(context: Context) -> None:
    """One message about a task that failed for good: Airflow calls this after the last retry."""
    error = context.get("exception")
    if isinstance(error, ToldAlreadyError):
        return
    ti = context["ti"]
    number = "" if ti.map_index < 0 else f", number {ti.map_index}"
    alert(
        "check_failed" if isinstance(error, CheckFailedError) else "run_failed",
        what=f"Task {ti.dag_id}.{ti.task_id} failed",
        why=f"{type(error).__name__}: {error}" if error else "no message",
        where=f"Airflow run {ti.run_id}, task {ti.task_id}{number}, attempt {ti.try_number}",
        next_step="Open the task's log in Airflow; when the cause is mended, clear the task: what is done is not redone.",
    )


def tell_of_run(context: Context) -> None:
    """One message about a run that failed though none of its tasks did: out of time, or stuck."""
    reason = str(context.get("reason", "unknown"))
    if reason == "task_failure":
        return
    alert(
        "run_failed",
        what=f"A run of {context['dag'].dag_id} failed: {reason}",
        why=f"Airflow gave the run up: {reason}",
        where=f"Airflow run {context['run_id']}",
        next_step="Open the run in Airflow and see which task it waited for.",
    )


# Sessions with Snowflake.

WAREHOUSE_CONNECTION = "snowflake_default"
FETCH_ROWS = 10_000
BindValues = Sequence[Any] | dict[str, Any]


class WarehouseHook(SnowflakeHook):
    """The provider's hook, with what it does not pass on: the connection's `protocol`, and bounds of waiting."""

    def __init__(self, *, query_tag: str, **arguments: Any) -> None:
        super().__init__(snowflake_conn_id=WAREHOUSE_CONNECTION, **arguments)
        self.query_tag = query_tag

    def get_conn(self) -> Any:
        """A session in UTC, marked with what it is for."""
        from snowflake.connector import connect

        extra = self.get_connection(WAREHOUSE_CONNECTION).extra_dejson
        parameters = self._get_conn_params()
        return connect(
            **{
                **parameters,
                "protocol": extra.get("protocol", "https"),
                "login_timeout": 30,
                "network_timeout": 120,
                "session_parameters": {
                    **(parameters.get("session_parameters") or {}),
                    "QUERY_TAG": self.query_tag,
                    "TIMEZONE": "UTC",
                },
            }
        )


@contextmanager
def warehouse(purpose: str, role: str | None = None) -> Iterator[Any]:
    """A session, closed at the end of the block; `role` instead of the connection's where it is given."""
    hook = WarehouseHook(query_tag=f"movie_platform airflow {purpose}", **({"role": role} if role else {}))
    with closing(hook.get_conn()) as connection:
        yield connection


def query_rows(
    connection: "SnowflakeConnection", sql: str, values: BindValues | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of a query as dictionaries by lower-case column name, fetched in chunks.

    `values` are bound to `%s` or `%(name)s`. The statement runs when the first row is asked for; errors are
    the connector's own.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name.lower() for column in cursor.description or ()]
        while rows := cursor.fetchmany(FETCH_ROWS):
            for row in rows:
                yield dict(zip(names, row, strict=True))


class StaleError(AirflowFailException):
    """Tables are older than their freshness policy."""


# Each asset with a freshness policy: where the time of its newest load is read, and the age, in seconds, that fails.
POLICIES = [
    ("snowflake/marts/current_movies", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/data_quality_daily", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/director_leaderboard", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/genre_performance", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/movie_history", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/rating_charts", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/rating_trends", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/top_movies", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/marts/yearly_box_office", "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS", 129600),
    ("snowflake/ops/quarantined_rows", "SELECT MAX(loaded_at) AS newest FROM RAW.BATCHES", 129600),
    ("snowflake/raw/batches", "SELECT MAX(loaded_at) AS newest FROM RAW.BATCHES", 129600),
    ("snowflake/raw/movie_genres", "SELECT MAX(loaded_at) AS newest FROM RAW.BATCHES", 129600),
    ("snowflake/raw/movie_people", "SELECT MAX(loaded_at) AS newest FROM RAW.BATCHES", 129600),
    ("snowflake/raw/movie_ratings", "SELECT MAX(loaded_at) AS newest FROM RAW.BATCHES", 129600),
    ("snowflake/raw/movies", "SELECT MAX(loaded_at) AS newest FROM RAW.BATCHES", 129600),
]


def age_seconds(newest: datetime | None, now: datetime) -> float | None:
    """Seconds since a load; None where there was none. Snowflake's times without a zone are UTC here."""
    if newest is None:
        return None
    return (now - (newest if newest.tzinfo else newest.replace(tzinfo=UTC))).total_seconds()


def stale(ages: dict[str, float | None]) -> list[str]:
    """A sentence for each asset that is older than its policy allows."""
    found = []
    for asset, query, limit in POLICIES:
        age = ages[query]
        if age is None:
            found.append(f"{asset} was never loaded")
        elif age > limit:
            found.append(f"{asset} is {age / 3600:.1f} hours old, {limit / 3600:g} are allowed")
    return found


def tell_of_stale(context: Context) -> None:
    """One message when tables turn stale: while they stay so the runs fail, and say no more."""
    before = context["ti"].get_previous_dagrun()
    if before is not None and str(getattr(before.state, "value", before.state)) == "failed":
        print("the run before this one failed too: it has told of it")
        return
    error = context.get("exception")
    if not isinstance(error, StaleError):
        tell_of_task(context)
        return
    alert(
        "freshness_failed",
        what=f"Service level missed: {len(str(error).splitlines())} tables are older than allowed",
        why=str(error),
        where=f"Airflow run {context['run_id']} of {context['dag'].dag_id}",
        next_step="See which of movie_extract, movie_transform and movie_load did not run or failed since.",
    )


with DAG(
    dag_id="movie_watchdog",
    description="Fails when the warehouse is older than the freshness policies of its assets allow.",
    schedule="0 * * * *",
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=15),
    on_failure_callback=tell_of_run,
    default_args={"owner": "team:data-platform", "on_failure_callback": tell_of_stale},
    tags=["movies"],
    doc_md="""Looks at the warehouse itself, so that a run that never started is noticed as well as one that failed.

| asset | hours until the service level is missed |
|---|---|
| snowflake/marts/current_movies | 36 |
| snowflake/marts/data_quality_daily | 36 |
| snowflake/marts/director_leaderboard | 36 |
| snowflake/marts/genre_performance | 36 |
| snowflake/marts/movie_history | 36 |
| snowflake/marts/rating_charts | 36 |
| snowflake/marts/rating_trends | 36 |
| snowflake/marts/top_movies | 36 |
| snowflake/marts/yearly_box_office | 36 |
| snowflake/ops/quarantined_rows | 36 |
| snowflake/raw/batches | 36 |
| snowflake/raw/movie_genres | 36 |
| snowflake/raw/movie_people | 36 |
| snowflake/raw/movie_ratings | 36 |
| snowflake/raw/movies | 36 |
""",
):

    @task(task_id="tables_are_fresh")
    def tables_are_fresh() -> dict[str, float | None]:
        """Ages of the newest loads. Raises StaleError where one is beyond its policy."""
        now = datetime.now(UTC)
        with warehouse("watchdog", role=setting("transformer_role")) as connection:
            ages = {
                query: age_seconds(next(query_rows(connection, query))["newest"], now)
                for query in sorted({query for _, query, _ in POLICIES})
            }
        found = stale(ages)
        if found:
            raise StaleError("\n".join(found))
        return ages

    tables_are_fresh()
