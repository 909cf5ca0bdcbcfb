"""What pipeline tests share: the days of the demo, carried once."""

from datetime import date

import pytest

from movie_platform.runs.pipeline import run_dates
from movie_platform.runs.result import RunReport
from movie_platform.settings import Settings

DAYS = (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))


@pytest.fixture(scope="session")
def days(provisioned_cloud: Settings) -> dict[date, RunReport]:
    """The three days of the demo, run in order."""
    return {report.date: report for report in run_dates(provisioned_cloud, DAYS)}
