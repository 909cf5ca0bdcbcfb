"""A Chromium of the system and a running `movie-platform dev` for it to look at; both end with the tests."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, Request, Response, expect, sync_playwright

from movie_platform.local_cloud import supervisor
from movie_platform_tests.dev_process import Address, dev, processes_of

REBOUND_NAME = "evil.example"
# No services of Google, no updates: pages of this machine are all that the browser opens.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name of somebody else that leads to this machine, as DNS rebinding makes it.
    f"--host-resolver-rules=MAP {REBOUND_NAME} 127.0.0.1",
    # Newer Chromiums keep pages from elsewhere away from this machine by themselves; our servers do not count on it.
    "--disable-features=LocalNetworkAccessChecks",
)
# Large enough for the lineage, small enough for a document.
VIEWPORT_WIDTH, VIEWPORT_HEIGHT = 1600, 900
# The machine may be busy with a Spark job meanwhile.
PAGE_SECONDS = 60

Screenshot = Callable[[str], None]


@dataclass(frozen=True)
class RunningPlatform:
    """What `movie-platform dev` serves: the UI, and the home."""

    address: Address
    home: Path

    @property
    def url(self) -> str:
        """The UI's address without the token, which a browser needs once."""
        return self.address.url


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folder for screenshots; without it none is written."""
    parser.addoption("--screenshots", type=Path, help="write screenshots of the Dagster UI into this folder")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium. Without one the tests fail: what was not looked at was not tested."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail(
            "the browser tests need `chromium` on PATH. On Debian: sudo apt-get install chromium",
            pytrace=False,
        )
    return path


@pytest.fixture(scope="session")
def platform(
    chromium: str, tmp_path_factory: pytest.TempPathFactory, clean_environment: None
) -> Iterator[RunningPlatform]:
    """The platform with its UI, its sensors on and nothing in it yet; not started where nothing can look at it."""
    home = tmp_path_factory.mktemp("browser") / "home"
    try:
        with dev(home) as (_, address):
            yield RunningPlatform(address=address, home=home)
    finally:
        supervisor.down(home)
        for process in processes_of(home):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue


@pytest.fixture
def browser_context(chromium: str, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser with a profile that nobody used before: the UI remembers what was opened and filtered."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium,
            args=list(CHROMIUM_FLAGS),
            viewport={"width": VIEWPORT_WIDTH, "height": VIEWPORT_HEIGHT},
            timezone_id="UTC",
            locale="en-GB",
        )
        context.set_default_timeout(PAGE_SECONDS * 1000)
        expect.set_options(timeout=PAGE_SECONDS * 1000)
        yield context
        context.close()


@pytest.fixture
def page(platform: RunningPlatform, browser_context: BrowserContext) -> Iterator[Page]:
    """A tab in which the address that was printed has been opened. Nothing that it opens may ask another machine, or be
    answered by a server's error.
    """
    asked_elsewhere: list[str] = []
    server_errors: list[str] = []

    def look_at(request: Request) -> None:
        if urlsplit(request.url).hostname not in {"127.0.0.1", None}:
            asked_elsewhere.append(request.url)

    def look_at_answer(answer: Response) -> None:
        if answer.status >= 500:
            server_errors.append(f"{answer.status} {answer.url}")

    page = browser_context.new_page()
    page.on("request", look_at)
    page.on("response", look_at_answer)
    page.goto(platform.address.printed)
    yield page
    page.close()
    assert asked_elsewhere == []
    assert server_errors == []


@pytest.fixture
def screenshot(page: Page, request: pytest.FixtureRequest) -> Screenshot:
    """Writes what the tab shows as <name>.png where `--screenshots` names a folder."""
    folder: Path | None = request.config.getoption("--screenshots", default=None)

    def take(name: str) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            # Pages fill in bit by bit; a picture is taken when nothing is awaited any more.
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return take
