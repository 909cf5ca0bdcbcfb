"""The doctor's judgements: each fault has a state and advice, and the command fails for faults alone."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from movie_platform.cli import app
from movie_platform.commands import doctor_checks as checks
from movie_platform.commands.doctor_checks import Check, Probe, State
from movie_platform.commands.doctor_probes import ask

GIB = 2**30


@pytest.mark.parametrize(("version", "state"), [((3, 11, 7), State.OK), ((3, 12, 0), State.FAULT)])
def test_only_the_python_of_glue_is_good(version: tuple[int, int, int], state: State) -> None:
    assert checks.check_python(version).state is state


@pytest.mark.parametrize(
    ("installed", "state", "word"),
    [
        ({"dagster": "1.13.27"}, State.OK, "1 requirements"),
        ({"dagster": "1.12.0"}, State.FAULT, "1.12.0 is not"),
        ({}, State.FAULT, "missing"),
    ],
)
def test_packages_must_be_there_at_versions_that_are_allowed(
    installed: dict[str, str], state: State, word: str
) -> None:
    found = checks.check_packages(["dagster>=1.13.27,<1.14"], installed)
    assert found.state is state
    assert word in found.found


@pytest.mark.parametrize(
    ("release", "state"),
    [
        ('IMPLEMENTOR="x"\nJAVA_VERSION="17.0.9"\n', State.OK),
        ('JAVA_VERSION="21.0.1"\n', State.FAULT),
        ("", State.FAULT),
        (None, State.FAULT),
    ],
)
def test_java_17_from_the_wheel_is_wanted(release: str | None, state: State) -> None:
    assert checks.check_java(release).state is state


@pytest.mark.parametrize(
    ("free", "state"), [(GIB, State.FAULT), (3 * GIB, State.WARNING), (50 * GIB, State.OK)]
)
def test_little_disk_is_a_warning_and_very_little_a_fault(free: int, state: State) -> None:
    assert checks.check_disk(Path("/data"), free).state is state


def test_little_memory_is_a_warning() -> None:
    assert checks.check_memory(2 * GIB).state is State.WARNING
    assert checks.check_memory(16 * GIB).state is State.OK


def test_a_taken_ui_port_is_a_warning_and_no_loopback_a_fault() -> None:
    def judge(*, loopback: bool, free: bool) -> State:
        return checks.check_ports(loopback=loopback, dagster_port_free=free, dagster_port=3000).state

    assert judge(loopback=True, free=True) is State.OK
    assert judge(loopback=True, free=False) is State.WARNING
    assert judge(loopback=False, free=True) is State.FAULT


def test_a_local_cloud_that_is_not_running_is_no_fault_and_half_of_one_is() -> None:
    assert checks.check_local_cloud({"aws": None, "glue": None}).state is State.SKIPPED
    assert checks.check_local_cloud({"aws": True, "glue": True}).state is State.OK
    stopped = checks.check_local_cloud({"aws": True, "glue": None})
    hung = checks.check_local_cloud({"aws": True, "glue": False})
    assert (stopped.state, hung.state) == (State.FAULT, State.FAULT)
    assert "glue is stopped" in stopped.found
    assert "glue does not answer" in hung.found


def test_credentials_of_another_account_are_a_fault() -> None:
    assert checks.check_identity(Probe(answer="1" * 12), "1" * 12).state is State.OK
    assert checks.check_identity(Probe(answer="2" * 12), "1" * 12).state is State.FAULT
    assert checks.check_identity(Probe(error="Unable to locate credentials"), "1" * 12).state is State.FAULT


@pytest.mark.parametrize(
    ("probe", "advice"),
    [
        (Probe(error="x", missing=True), "provision"),
        (Probe(error="x", denied=True), "access"),
        (Probe(error="x"), "endpoint"),
    ],
)
def test_a_resource_that_is_missing_denied_or_silent_gets_the_advice_that_fits(
    probe: Probe, advice: str
) -> None:
    found = checks.check_resource("bucket landing", probe)
    assert found.state is State.FAULT
    assert advice in (found.advice or "")


def test_every_finding_that_is_not_well_has_advice() -> None:
    for check in (
        checks.check_python((3, 9, 0)),
        checks.check_java(None),
        checks.check_home(Path("/x"), writable=False),
        checks.check_warehouse(Probe(error="no")),
        checks.check_disk(Path("/x"), 0),
    ):
        assert check.state is State.FAULT
        assert check.advice


def test_the_worst_state_counts() -> None:
    def check(state: State) -> Check:
        return Check("x", state, "")

    assert checks.worst([]) is State.OK
    assert checks.worst([check(State.OK), check(State.SKIPPED)]) is State.SKIPPED
    assert checks.worst([check(State.FAULT), check(State.WARNING)]) is State.FAULT


class AwsStyleError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


@pytest.mark.parametrize(
    ("code", "missing", "denied"),
    [
        ("NoSuchBucket", True, False),
        ("AWS.SimpleQueueService.NonExistentQueue", True, False),
        ("EntityNotFoundException", True, False),
        ("AccessDenied", False, True),
        ("Throttling", False, False),
    ],
)
def test_what_a_service_refuses_is_told_apart(code: str, missing: bool, denied: bool) -> None:
    def question() -> str:
        raise AwsStyleError(code)

    probe = ask(question)
    assert (probe.answer, probe.missing, probe.denied) == (None, missing, denied)


def test_the_doctor_works_without_a_running_cloud_and_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    result = CliRunner().invoke(app, ["--home", str(home), "doctor", "--json"])
    report = json.loads(result.stdout)
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert states["local cloud"] == "skipped"
    assert states["python"] == states["java"] == states["packages"] == "ok"
    assert "snowflake" not in states
    assert result.exit_code == 0
    assert not home.exists()


def test_a_home_that_cannot_be_written_fails_the_command(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(app, ["--home", str(tmp_path / "file" / "home"), "doctor", "--json"])
    assert result.exit_code == 1
    assert {check["name"]: check["state"] for check in json.loads(result.stdout)["checks"]}["home"] == "fault"


def test_tasks_streams_and_days_that_wait_for_somebody_are_faults_with_advice() -> None:
    for check in (
        checks.check_task_graph(["task CORE.COLLECT_ARRIVALS is suspended"]),
        checks.check_streams(["stream RAW.MOVIES_STREAM is stale"]),
        checks.check_pending_days(["demo of 2026-11-18 (Division by zero)"], 3),
    ):
        assert check.state is State.FAULT
        assert check.advice
    assert checks.check_task_graph([]).state is State.OK
    assert checks.check_streams([]).state is State.OK
    assert checks.check_pending_days([], 3) == Check(
        "pending days", State.OK, "3 days wait for the task graph"
    )
