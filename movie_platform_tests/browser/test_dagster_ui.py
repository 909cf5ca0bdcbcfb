"""What a person does first in the Dagster UI: look at the lineage, materialize a day, hand over a bundle.

The bundle is landed first and its run looked at last, so that the Glue job works while the other pages are visited.
"""

import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from movie_platform.graph import asset_keys
from movie_platform_tests.browser.conftest import RunningPlatform, Screenshot
from movie_platform_tests.dev_process import COMMAND
from movie_platform_tests.paths import SAMPLE_DATA

BUNDLE = SAMPLE_DATA / "bundles" / "good.zip"
BUNDLE_BATCH = "20261118T060000Z-b13a7f9fb012"
BUNDLE_FILMS = 201
DATE = "2026-11-18"
FILMS_OF_THE_DEMO = "17,472"
ASSETS = (
    asset_keys.SOURCE,
    asset_keys.RAW_EXTRACT,
    asset_keys.ZIPPED_BUNDLE,
    asset_keys.UNZIPPED_FILES,
    *asset_keys.ARCHIVE,
    *asset_keys.WAREHOUSE,
    *asset_keys.CORE,
    *asset_keys.MARTS,
)
GROUPS = (
    "source",
    "extract",
    "landing",
    "processed",
    "archive",
    "snowflake_raw",
    "snowflake_ops",
    "snowflake_core",
    "snowflake_marts",
)
RUN_LINK = re.compile("^run [0-9a-f]{8}$")
TIMELINE_LABEL = re.compile(r"^\d+ \w+, \d\d:\d\d$")
# A tick every ten seconds, and a daemon that starts runs one after another.
LAUNCH_MS = 120_000
# Lambda, a Spark job and the loading, on two cores that do other things as well.
RUN_MS = 480_000

pytestmark = [pytest.mark.browser, pytest.mark.cloud, pytest.mark.spark, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def landed(platform: RunningPlatform) -> str:
    """The bundle in the landing bucket, as an outside producer puts it there; its key."""
    done = subprocess.run(
        [COMMAND, "--home", str(platform.home), "land", str(BUNDLE)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return f"movies/source=sample/dt={DATE}/{BUNDLE_BATCH}.zip"


def navigate(page: Page, to: str) -> None:
    """By the links at the left; their names begin with that of an icon."""
    page.get_by_role("navigation").get_by_role("link", name=re.compile(rf"\b{to}$")).click()


def open_sensor(page: Page, platform: RunningPlatform) -> None:
    """By way of the navigation, as a person would."""
    page.goto(platform.url)
    navigate(page, "Automation")
    page.get_by_role("link", name="bundle_arrival_sensor").click()
    expect(
        page.get_by_role("row", name="Target").get_by_role("link", name="process_landed_bundle")
    ).to_be_visible()


def open_asset(page: Page, platform: RunningPlatform, path: str, tab: str = "Overview") -> None:
    page.goto(f"{platform.url}/assets/{path}")
    page.get_by_role("tab", name=tab).click()


def test_the_sensor_requests_a_run_for_a_bundle_that_landed(
    platform: RunningPlatform, page: Page, landed: str
) -> None:
    open_sensor(page, platform)
    expect(page.get_by_role("row", name="Running").get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_role("row", name="1 run requested").last).to_be_visible(timeout=LAUNCH_MS)
    page.get_by_role("button", name="Runs", exact=True).click()
    expect(page.get_by_role("link", name=RUN_LINK)).to_have_count(1)
    expect(page.get_by_text(landed)).to_be_visible()

    navigate(page, "Runs")
    expect(page.get_by_role("link", name="process_landed_bundle")).to_have_count(1)
    expect(page.get_by_role("link", name="bundle_arrival_sensor")).to_have_count(1)
    expect(page.get_by_text(landed)).to_be_visible()


def test_the_lineage_leads_from_the_source_to_the_marts_through_every_group(
    platform: RunningPlatform, page: Page, screenshot: Screenshot
) -> None:
    page.goto(platform.url)
    navigate(page, "Lineage")
    expect(page.get_by_text("Global asset lineage")).to_be_visible()
    graph = page.locator("svg foreignObject")
    for group in GROUPS:
        expect(graph.get_by_text(group, exact=True)).to_be_visible()
    # The source is observed, not materialized.
    expect(page.get_by_role("button", name=f"Materialize all ({len(ASSETS) - 1})")).to_be_visible()
    page.get_by_role("button", name="Hide navigation").click()
    page.reload()
    expect(graph.get_by_text("snowflake_marts", exact=True)).to_be_visible()
    screenshot("lineage")


def test_an_asset_is_materialized_for_a_date_by_the_buttons_of_its_page(
    platform: RunningPlatform, page: Page, screenshot: Screenshot
) -> None:
    open_asset(page, platform, "extract/raw_extract")
    page.get_by_role("button", name="Materialize…").click()
    dialog = page.get_by_role("dialog")
    # Until the partitions are known, what is typed into the box is thrown away.
    expect(dialog.get_by_text(re.compile(r"Showing \d+ of \d+ partitions"))).to_be_visible()
    partitions = dialog.get_by_role("textbox")
    partitions.fill(DATE)
    partitions.press("Enter")
    expect(dialog.get_by_text("1 partition", exact=True)).to_be_visible()
    screenshot("materialize")
    dialog.get_by_role("button", name="Launch 1 run").click()
    page.get_by_role("region", name="Notifications").get_by_role("link", name="View").click()
    expect(page.get_by_text("Success", exact=True)).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_text("Succeeded (2)")).to_be_visible()

    open_asset(page, platform, "extract/raw_extract")
    expect(page.get_by_text(FILMS_OF_THE_DEMO, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=DATE)).to_be_visible()
    screenshot("asset")


def test_the_run_of_the_landed_bundle_succeeds_and_its_films_show_with_their_checks(
    platform: RunningPlatform, page: Page, landed: str, screenshot: Screenshot
) -> None:
    open_sensor(page, platform)
    page.get_by_role("button", name="Runs", exact=True).click()
    page.get_by_role("link", name=RUN_LINK).click()
    expect(page.get_by_text("Launched by bundle_arrival_sensor")).to_be_visible()
    expect(page.get_by_text("Success", exact=True)).to_be_visible(timeout=RUN_MS)
    screenshot("run")

    open_sensor(page, platform)
    page.get_by_role("button", name="All ticks").click()
    page.get_by_role("menuitem", name="Requested").click()
    tick = page.get_by_role("row", name="1 run requested").filter(has=page.get_by_role("link"))
    expect(tick.get_by_role("img", name="run_success")).to_be_visible()
    expect(page.get_by_text(TIMELINE_LABEL).first).to_be_visible()
    screenshot("sensor")

    open_asset(page, platform, "archive/movies", tab="Checks")
    page.get_by_text("rows_reconcile").first.click()
    expect(page.get_by_text("Passed", exact=True)).to_be_visible()
    expect(
        page.get_by_text(f"{BUNDLE_FILMS} rows in = {BUNDLE_FILMS} films + 0 quarantined + 0 duplicates")
    ).to_be_visible()
    screenshot("checks")

    open_asset(page, platform, "snowflake/raw/movies")
    expect(page.get_by_text(str(BUNDLE_FILMS), exact=True).first).to_be_visible()
