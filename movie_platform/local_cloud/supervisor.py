"""Starts, stops, inspects and empties a local cloud: its servers are child processes that outlive the
command.

`up` may be called at any time and in any state: after a crash of a server, of the machine, or of an earlier
`up`. It starts what does not run, ends what runs but does not answer, and never touches a process that it did
not start.
"""

import functools
import http.client
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movie_platform.local_cloud import cloud_file, ports, processes, services
from movie_platform.local_cloud.cloud_file import CloudRecord, ServiceRecord
from movie_platform.local_cloud.home import DATA_FOLDERS, Home
from movie_platform.local_cloud.local_cloud_errors import LocalCloudError
from movie_platform.local_cloud.locks import exclusive
from movie_platform.local_cloud.ports import LOOPBACK
from movie_platform.local_cloud.services import SERVICES, Service
from movie_platform.local_cloud.snowflake.protocol.key_pair import ensure_private_key
from movie_platform.process_identity import ProcessIdentity
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_for, wait_until

_LOCK_SECONDS = 180.0
_HEALTH_SECONDS = 3.0
_POLLS = Pauses.steady(0.05)
# How long a server that runs may take to answer before it counts as stuck: it may be busy with somebody's
# work.
_STUCK_SECONDS = 15.0
_START_ATTEMPTS = 3
_LOG_LIMIT_BYTES = 20_000_000
_LOG_TAIL_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One server now. `pid` is None where it does not run."""

    name: str
    pid: int | None
    port: int | None
    endpoint: str | None
    healthy: bool
    log_path: Path


@dataclass(frozen=True, slots=True)
class CloudStatus:
    """The local cloud of a home now: `running` where every server answers. `notes` say what a crash may have
    cost.
    """

    home: Path
    running: bool
    services: tuple[ServiceStatus, ...]
    notes: tuple[str, ...] = ()


def up(home: Path, *, timeout_seconds: float = 90, services: Sequence[Service] = SERVICES) -> CloudStatus:
    """Start what is not running and return when every server answers. Harmless when all run already.

    Raises `LocalCloudError` (with the tail of the server's log) where a server does not come up in time, and
    `HomeBusyError` where another process starts or stops the same home for long.
    """
    place = Home.at(home)
    place.create()
    with exclusive(place.lock_file, timeout_seconds=_LOCK_SECONDS):
        cloud = _Cloud(place, tuple(services))
        cloud.start(Deadline(timeout_seconds))
        return cloud.status()


def down(home: Path, *, services: Sequence[Service] = SERVICES) -> None:
    """Stop the servers: each is asked to end (and to save), and forced where it does not. Data and ports are
    kept.
    """
    place = Home.at(home)
    if not place.root.is_dir():
        return
    with exclusive(place.lock_file, timeout_seconds=_LOCK_SECONDS):
        _Cloud(place, tuple(services)).stop()


def status(home: Path, *, services: Sequence[Service] = SERVICES) -> CloudStatus:
    """Which servers run and answer. Starts and changes nothing."""
    return _Cloud(Home.at(home), tuple(services)).status()


def reset(home: Path, *, services: Sequence[Service] = SERVICES) -> None:
    """Stop the servers and delete all that the platform made in the home. Ports and the key are kept.

    Does nothing in a folder that never was a home: folders of the same names there are somebody else's.
    """
    place = Home.at(home)
    if not place.cloud_file.exists():
        return
    with exclusive(place.lock_file, timeout_seconds=_LOCK_SECONDS):
        _Cloud(place, tuple(services)).stop()
        for name in DATA_FOLDERS:
            folder = place.root / name
            if folder.is_symlink():
                folder.unlink()
            elif folder.exists():
                shutil.rmtree(folder)


class _PortTakenError(Exception):
    """A server ended while it started, and something else listens on its port."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.name)
        self.service = service


class _Cloud:
    """The servers of one home, under its lock where they are started or stopped."""

    def __init__(self, home: Home, services: tuple[Service, ...]) -> None:
        self._home = home
        self._services = services
        self._record = cloud_file.read(home.cloud_file) or CloudRecord()

    def status(self) -> CloudStatus:
        found = tuple(self._service_status(service) for service in self._services)
        return CloudStatus(
            home=self._home.root,
            running=all(service.healthy for service in found),
            services=found,
            notes=tuple(self._record.notes),
        )

    def start(self, deadline: Deadline) -> None:
        for key in self._home.snowflake_keys:
            ensure_private_key(key)
        for attempt in range(1, _START_ATTEMPTS + 1):
            pending = [service for service in self._services if not self._answers(service)]
            if not pending:
                return
            for service in pending:
                self._end(service)
            numbers = self._choose_ports(pending)
            self._record.settings = _client_settings(self._home, numbers)
            try:
                # Those that need others start when these answer; the rest of a wave starts together.
                self._start_wave([service for service in pending if not service.needs], numbers, deadline)
                self._start_wave([service for service in pending if service.needs], numbers, deadline)
            except _PortTakenError as error:
                # Somebody took the port between our look and the server's: all over again, with another one.
                if attempt == _START_ATTEMPTS:
                    raise _start_error(error.service, self._home, "it ended while it started") from error

    def stop(self) -> None:
        # Those that need others end first: they may have something to save in them.
        for service in reversed(self._services):
            self._end(service)
        self._record.notes.clear()
        if self._record.services:
            self._save()

    def _answers(self, service: Service) -> bool:
        """Whether the recorded process runs and answers; one that is busy gets a moment."""
        known = self._record.services.get(service.name)
        if known is None or known.process is None:
            return False
        process, port = known.process, known.port

        def answer() -> bool | None:
            if not process.alive:
                return False
            return _healthy(service, port) or None

        try:
            return wait_for(answer, service.name, deadline=Deadline(_STUCK_SECONDS), pauses=_POLLS)
        except WaitTimeoutError:
            return False

    def _note_loss(self) -> None:
        note = (
            "the AWS server ended without saving its state: S3 objects are complete, but changes of the last seconds "
            "before it to buckets' settings, queues, topics, functions, stacks or log events may be missing; "
            "`movie-platform provision` restores what it deploys"
        )
        if note not in self._record.notes:
            self._record.notes.append(note)

    def _choose_ports(self, pending: list[Service]) -> dict[str, int]:
        """Ports of all servers, also of those that this call does not start: their clients' settings need
        them.
        """
        numbers = {
            name: known.port
            for name, known in self._record.services.items()
            if name not in {service.name for service in pending}
        }
        for service in SERVICES:
            if service.name not in numbers:
                known = self._record.services.get(service.name)
                numbers[service.name] = ports.pick(
                    known.port if known else None, avoid=frozenset(numbers.values())
                )
        moved = {
            name
            for name, number in numbers.items()
            if name in self._record.services and self._record.services[name].port != number
        }
        # A server that runs knows the others by the ports that they had.
        if moved:
            pending.extend(
                service
                for service in self._services
                if service not in pending and (moved & {*service.needs} or service is services.AWS)
            )
            pending.sort(key=self._services.index)
            for service in pending:
                self._end(service)
        return numbers

    def _start_wave(self, wave: list[Service], numbers: dict[str, int], deadline: Deadline) -> None:
        started = [(service, self._launch(service, numbers)) for service in wave]
        for service, process in started:
            try:
                wait_until(
                    functools.partial(self._has_started, service, process, numbers[service.name]),
                    service.name,
                    deadline=deadline,
                    pauses=_POLLS,
                )
            except WaitTimeoutError as late:
                processes.end(process, grace_seconds=1.0)
                raise _start_error(service, self._home, "it did not answer in time") from late

    def _has_started(self, service: Service, process: ProcessIdentity, port: int) -> bool:
        """Whether a server that was launched answers on its port. Raises where it has ended."""
        # Somebody who took the port first may be another home's server, and answer as ours would.
        if _healthy(service, port) and processes.listens(process, port):
            return True
        if process.alive:
            return False
        # It never was up: it is none whose end could have cost anything.
        self._record.services[service.name] = ServiceRecord(port, None)
        self._save()
        if not ports.is_free(port):
            raise _PortTakenError(service)
        raise _start_error(service, self._home, "it ended while it started")

    def _launch(self, service: Service, numbers: dict[str, int]) -> ProcessIdentity:
        # One that was started by an `up` that was killed before it could write the record.
        for stray in processes.find(service.identity(self._home)):
            processes.end(stray, grace_seconds=service.grace_seconds)
        log = service.log_path(self._home)
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        _empty(self._home.temporary(service.name))
        process = processes.start_detached(
            service.command(self._home, numbers),
            environment=service.environment(self._home, numbers),
            folder=self._home.root,
            log=log,
        )
        self._record.services[service.name] = ServiceRecord(numbers[service.name], process)
        for other in SERVICES:
            self._record.services.setdefault(other.name, ServiceRecord(numbers[other.name], None))
        self._save()
        return process

    def _end(self, service: Service) -> None:
        """End what runs of a server; note it where it had ended before, or needed force."""
        known = self._record.services.get(service.name)
        if known is not None and known.process is not None:
            ran = known.process.alive
            saved = processes.end(known.process, grace_seconds=service.grace_seconds) and ran
            if not saved and service is services.AWS:
                self._note_loss()
            self._record.services[service.name] = ServiceRecord(known.port, None)
        for stray in processes.find(service.identity(self._home)):
            processes.end(stray, grace_seconds=service.grace_seconds)

    def _save(self) -> None:
        cloud_file.write(
            self._home.cloud_file,
            self._record,
            endpoints={name: services.endpoint(known.port) for name, known in self._record.services.items()},
        )

    def _service_status(self, service: Service) -> ServiceStatus:
        known = self._record.services.get(service.name)
        alive = known is not None and known.process is not None and known.process.alive
        return ServiceStatus(
            name=service.name,
            pid=known.process.pid if known and known.process and alive else None,
            port=known.port if known else None,
            endpoint=services.endpoint(known.port) if known else None,
            healthy=alive and known is not None and _healthy(service, known.port),
            log_path=service.log_path(self._home),
        )


def _client_settings(home: Home, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "aws_endpoint_url": services.endpoint(numbers[services.AWS.name]),
        "aws_glue_endpoint_url": services.endpoint(numbers[services.GLUE.name]),
        "aws_access_key_id": services.ACCESS_KEY_ID,
        "aws_secret_access_key": services.SECRET_ACCESS_KEY,
        "snowflake_account": "local",
        "snowflake_host": LOOPBACK,
        "snowflake_port": numbers[services.SNOWFLAKE.name],
        "snowflake_protocol": "http",
        "snowflake_private_key_path": str(home.snowflake_key),
        "snowflake_admin_user": services.ADMINISTRATOR,
        "snowflake_admin_private_key_path": str(home.snowflake_admin_key),
        "snowflake_deployer_private_key_path": str(home.snowflake_deployer_key),
        "snowflake_reader_public_key_path": str(home.snowflake_reader_key),
    }


def _healthy(service: Service, port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_HEALTH_SECONDS)
    try:
        connection.request("GET", service.health_path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _start_error(service: Service, home: Home, what: str) -> LocalCloudError:
    log = service.log_path(home)
    with log.open("rb") as handle:
        handle.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
        tail = handle.read().decode("utf-8", "replace").strip()
    return LocalCloudError(
        "server_did_not_start",
        f"the local cloud's server `{service.name}` did not start: {what}. The end of its log:\n{tail}",
        f"see {log}, then start the local cloud again",
    )


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
