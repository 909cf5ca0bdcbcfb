"""The daily extract: reads the source, zips what it says, and lands the bundle.

Written by `movie-platform export airflow` from the asset graph: change the graph or the templates, not this file.
Needs Airflow 3.1 or later with the amazon and snowflake providers; deploy/airflow/README.md says how to run it.

Form and templates: a367a76debc6a1cd187de25fbfb85c1ce7b318649e15780ffd9414bbe843f8c5

Not carried over, or carried otherwise:
- automation conditions: a run of Airflow carries a day to its end; what ended half way is cleared and run
  again
- column schemas and column lineage: Airflow knows assets, not their columns
- sensor bundle_arrival_sensor: an AssetWatcher on the same queue emits the landing asset; it takes messages
  off the queue before they are worked on, and attempts are Airflow's retries instead of counted runs
- sensor freshness_alerts: deadlines of runs and the watchdog send the same message
- sensor run_failure_alerts: failure callbacks of tasks and DAGs send the same message
- the checks of the extract and of its bundle are evaluated by the command, which fails with them
- jitter of retries: Airflow's back-off has its own
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pendulum
from airflow.providers.amazon.aws.hooks.sns import SnsHook
from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.providers.common.messaging.triggers.msg_queue import MessageQueueTrigger
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, AssetWatcher, Context, Param, Variable, task
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

# The Airflow Variable that says where this deployment's buckets, function, job and topic are.
VARIABLE = "movie_platform"
AWS_CONNECTION = "aws_default"

# A trigger's and a deadline's arguments are not templates: these two are read when the file is. Everything else is
# read when a task runs.
AT_PARSING = Variable.get(VARIABLE, default={}, deserialize_json=True)


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


# From the freshness policies: of the 36 hours after which tables count as stale, a day goes by between two runs.
DEADLINE = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(seconds=43200),
    callback=AsyncCallback(
        SnsNotifier,
        kwargs={
            "aws_conn_id": AWS_CONNECTION,
            "target_arn": AT_PARSING.get("alert_topic_arn", ""),
            "subject": "Movie Platform: a run of movie_extract is late",
            "message": json.dumps(
                {
                    "kind": "freshness_failed",
                    "what": "A run of movie_extract has not ended 12 hours after it was queued",
                    "why": "Its tables will be older than their freshness policy allows.",
                    "where": "Airflow run {{ dag_run.dag_run_id }}",
                    "next": "Open the run in Airflow and see which task it waits for.",
                }
            ),
            "message_attributes": {"kind": "freshness_failed"},
        },
    ),
)

LANDING = "landing/zipped_bundle"
# Who else drops bundles is heard of through the queue that the landing bucket's topic feeds.
WATCHERS = (
    [
        AssetWatcher(
            name="arrivals",
            trigger=MessageQueueTrigger(
                scheme="sqs",
                sqs_queue=AT_PARSING["arrivals_queue_url"],
                aws_conn_id=AWS_CONNECTION,
                max_messages=10,
                waiter_delay=10,
            ),
        )
    ]
    if AT_PARSING.get("arrivals_queue_url")
    else []
)

ASSETS = {
    key: Asset(name=key, uri=f"x-movie-platform://{key}", watchers=WATCHERS if key == LANDING else [])
    for key in ["source/movies", "extract/raw_extract", "landing/zipped_bundle"]
}

# The day that a run is about: the one on which it runs, as its timetable has it, unless a person names another.
DAY = "{{ params.date or (dag_run.data_interval_end or dag_run.run_after).strftime('%Y-%m-%d') }}"
PROFILE = "{{ params.profile or var.json.movie_platform.get('profile') or '' }}"
COMMAND = "{{ var.json.movie_platform.get('command') or 'movie-platform' }}"


def reported(report: dict) -> dict:
    """The command's report."""
    return report


with DAG(
    dag_id="movie_extract",
    description="Extracts the day and lands its bundle; the arrival sensor takes it from there.",
    schedule="0 3 * * *",
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    # Days that were missed are asked for: `airflow backfill create --dag-id movie_extract`.
    catchup=False,
    max_active_runs=4,
    deadline=DEADLINE,
    dagrun_timeout=timedelta(seconds=14400),
    on_failure_callback=tell_of_run,
    default_args={"owner": "team:data-platform", "on_failure_callback": tell_of_task},
    tags=["movies", "extract", "landing"],
    doc_md="""Extracts a day and lands its bundle. It ends there: landing is the hand-over.

| asset | what it is | made with | owners |
|---|---|---|---|
| extract/raw_extract | What the source says of a day: CSV and Parquet parts of raw strings, the rows that could not be read, and a manifest. Raw means raw: columns are renamed, no value is changed. | csv, parquet, python | team:data-platform |
| landing/zipped_bundle | The extract of a day as one ZIP in the landing bucket: the hand-over to whoever processes it. Content that has landed for the date already is not landed again. | python, s3 | team:data-platform |
""",
    params={
        "date": Param(
            "",
            type="string",
            pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$",
            description="The UTC date that the extract describes; by default the day of the run.",
        ),
        "profile": Param(
            "",
            type="string",
            pattern="^[A-Za-z0-9_./-]*$",
            description="Source profile; by default the deployment's, then the platform's.",
        ),
        "label_present": Param(
            False,
            type="boolean",
            description="Let a live source's present state stand for the date, though it is past.",
        ),
    },
):
    extract_and_land = BashOperator(
        task_id="extract_and_land",
        doc_md="One command makes extract/raw_extract, landing/zipped_bundle, and evaluates their checks: extract/raw_extract:manifest_is_valid, landing/zipped_bundle:columns_match_contract, landing/zipped_bundle:csv_and_parquet_agree, landing/zipped_bundle:files_match_manifest, landing/zipped_bundle:manifest_is_valid, landing/zipped_bundle:row_counts_match_manifest.",
        # The values come through the environment: nothing that a person types is read by the shell.
        bash_command=(
            'exec "$EXTRACT_COMMAND" extract --json --no-retry --date "$EXTRACT_DATE"'
            ' ${EXTRACT_PROFILE:+--profile "$EXTRACT_PROFILE"} ${EXTRACT_LABEL_PRESENT:+--label-present}'
        ),
        env={
            "EXTRACT_COMMAND": COMMAND,
            "EXTRACT_DATE": DAY,
            "EXTRACT_PROFILE": PROFILE,
            "EXTRACT_LABEL_PRESENT": "{{ '1' if params.label_present else '' }}",
        },
        append_env=True,
        output_processor=json.loads,
        inlets=[ASSETS["source/movies"]],
        retries=2,
        retry_delay=timedelta(seconds=5),
        retry_exponential_backoff=2.0,
    )
    output = extract_and_land.output

    @task(task_id="landed", outlets=[ASSETS["extract/raw_extract"], ASSETS["landing/zipped_bundle"]])
    def landed(output, *, outlet_events=None) -> dict:
        """Tells of the bundle that landed; a source that says nothing new is no event."""
        report = reported(output)
        if report["unchanged"]:
            raise AirflowSkipException(
                f"s3://{report['bucket']}/{report['key']} has the same content: nothing was landed"
            )
        told = ("source", "date", "batch_id", "bucket", "key", "etag", "rows", "rejected", "bytes")
        for key in ["extract/raw_extract", "landing/zipped_bundle"]:
            outlet_events[ASSETS[key]].extra = {name: report[name] for name in told}
        return {name: report[name] for name in told}

    landed(output)
