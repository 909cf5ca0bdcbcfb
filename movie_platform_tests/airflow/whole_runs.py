"""Runs of the DAGs in this process, handed on as the scheduler would: by the events of assets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import airflow.models.dagrun as dagruns
import pytest


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: its state, that of each task (`task` or `task[index]`), and the messages of what failed."""

    state: str
    tasks: dict[str, str]

    def of(self, *states: str) -> set[str]:
        """The tasks in one of the states."""
        return {task for task, state in self.tasks.items() if state in states}


def processed_dags() -> dict[str, Any]:
    """The DAGs of the folder as Airflow's own processor stores them: versions, assets and their triggers."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.models.dag_version import DagVersion

    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    [bundle] = manager.get_all_dag_bundles()
    bundle.initialize()
    bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
    sync_bag_to_db(bag, bundle.name, bundle.version)
    assert bag.import_errors == {}
    assert all(DagVersion.get_version(dag_id) for dag_id in bag.dags), "a DAG could not be stored"
    return dict(bag.dags)


def events_of(asset: str, after: int = 0) -> list[Any]:
    """Events of an asset with a greater id, oldest first."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(
            select(AssetEvent)
            .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            .where(AssetModel.name == asset, AssetEvent.id > after)
            .order_by(AssetEvent.id)
        ).all()
        session.expunge_all()
        return list(found)


def newest_event(asset: str) -> int:
    """Id of the newest event of an asset, 0 where there is none."""
    return max((event.id for event in events_of(asset)), default=0)


@contextmanager
def triggered_by(events: list[Any]) -> Iterator[None]:
    """The next run is one that these events triggered: `dag.test` makes manual runs, which have none."""
    from airflow.models.asset import AssetEvent

    make = dagruns.get_or_create_dagrun

    def with_events(*arguments: Any, **named: Any) -> Any:
        run = make(*arguments, **named)
        session = named["session"]
        for event in events:
            run.consumed_asset_events.append(session.get(AssetEvent, event.id))
        session.commit()
        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dagruns, "get_or_create_dagrun", with_events)
        yield


def watcher_event(asset: str, bodies: list[str]) -> Any:
    """An event as the triggerer makes it of messages that the watcher took off its queue."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    payload = {"status": "success", "message_batch": [{"Body": body} for body in bodies]}
    with create_session() as session:
        asset_id = session.scalar(select(AssetModel.id).where(AssetModel.name == asset))
        event = AssetEvent(asset_id=asset_id, extra={"from_trigger": True, "payload": payload})
        session.add(event)
        session.flush()
        session.expunge_all()
    return event


def execute(
    dag: Any,
    *,
    logical_date: datetime | None = None,
    conf: dict[str, Any] | None = None,
    events: list[Any] | None = None,
) -> Outcome:
    """Runs a DAG to its end. A run that events trigger has no logical date, as in the scheduler."""
    with triggered_by(events or []):
        # `dag.test` stores no deadlines, and fails after the run where a DAG has one.
        deadline, dag.deadline = dag.deadline, None
        try:
            run = dag.test(logical_date=logical_date, run_conf=conf)
        finally:
            dag.deadline = deadline
    return outcome_of(run)


def outcome_of(run: Any) -> Outcome:
    """The states of a run and its tasks."""
    from airflow.utils.session import create_session

    with create_session() as session:
        run = session.merge(run)
        tasks = {
            ti.task_id if ti.map_index < 0 else f"{ti.task_id}[{ti.map_index}]": str(ti.state)
            for ti in run.get_task_instances(session=session)
        }
        return Outcome(str(run.state), tasks)
