"""Assembles the definitions: the one place where assets, checks, automation and resources meet.

Tests pass `resource_overrides` for what must misbehave on command; everything else they take from here.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from movie_platform.assets.archive import build_archive_tables
from movie_platform.assets.core import build_core_tables
from movie_platform.assets.extract import build_raw_extract
from movie_platform.assets.landing import build_zipped_bundle
from movie_platform.assets.marts import build_marts
from movie_platform.assets.processed import build_unzipped_files
from movie_platform.assets.source import source_spec
from movie_platform.assets.warehouse import build_warehouse_tables
from movie_platform.automation.alert_sensors import build_freshness_alerts, run_failure_alerts
from movie_platform.automation.arrival_sensor import build_bundle_arrival_sensor
from movie_platform.automation.jobs import build_jobs
from movie_platform.automation.schedules import build_extract_daily
from movie_platform.automation.warehouse_automation import build_warehouse_automation
from movie_platform.checks.archive import build_archive_checks
from movie_platform.checks.bundles import build_bundle_checks
from movie_platform.checks.core import build_core_checks
from movie_platform.checks.marts import build_mart_checks
from movie_platform.checks.warehouse import build_warehouse_checks
from movie_platform.graph.partitions import daily_partitions
from movie_platform.resources.alerts import AlertTopic
from movie_platform.resources.aws import AwsResource
from movie_platform.resources.extracts import ExtractStore
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.raw_loader import RawLoader
from movie_platform.resources.snowflake import WarehouseResource
from movie_platform.resources.task_graph import TaskGraph
from movie_platform.resources.transform import TransformJob
from movie_platform.resources.unpack import UnpackFunction
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile


def build_defs(settings: Settings, *, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions for these settings."""
    partitions = daily_partitions(settings.first_date)
    default_source = load_profile(settings.default_profile, settings=settings).name
    return dg.Definitions(
        assets=[
            source_spec(settings.owner),
            build_raw_extract(settings, partitions),
            build_zipped_bundle(settings, partitions, default_source),
            build_unzipped_files(settings, partitions, default_source),
            build_archive_tables(settings, partitions, default_source),
            *build_warehouse_tables(settings, partitions, default_source),
            build_core_tables(settings, partitions, default_source),
            build_marts(settings),
        ],
        asset_checks=[
            *build_bundle_checks(settings, default_source),
            *build_archive_checks(default_source),
            *build_warehouse_checks(default_source),
            *build_core_checks(default_source),
            *build_mart_checks(settings),
        ],
        jobs=build_jobs(),
        schedules=[build_extract_daily(settings, default_source)],
        sensors=[
            build_bundle_arrival_sensor(settings, partitions),
            build_warehouse_automation(),
            run_failure_alerts,
            build_freshness_alerts(settings),
        ],
        resources={**build_resources(settings), **(resource_overrides or {})},
        # Steps mostly wait for remote work, and a process a step costs seconds of imports each. A job or a run may
        # still name another executor.
        executor=dg.in_process_executor,
    )


def build_resources(settings: Settings) -> dict[str, Any]:
    """The resources for these settings, by the names under which assets and sensors ask for them."""
    aws = AwsResource.from_settings(settings)
    warehouse = WarehouseResource.from_settings(settings)
    return {
        "aws": aws,
        "warehouse": warehouse,
        "extracts": ExtractStore(location=settings.extracts, aws=aws),
        "landing": LandingZone(
            bucket=settings.bucket("landing"), processed_bucket=settings.bucket("processed"), aws=aws
        ),
        "unpacker": UnpackFunction(function_name=settings.unpack_function_name, aws=aws),
        "transformer": TransformJob(
            job_name=settings.glue_job_name,
            archive_bucket=settings.bucket("archive"),
            artifacts_bucket=settings.bucket("artifacts"),
            timeout_minutes=settings.glue_job_timeout_minutes,
            aws=aws,
        ),
        "loader": RawLoader(
            timeout_seconds=settings.load_timeout_seconds,
            refresh_after_seconds=settings.load_refresh_after_seconds,
            warehouse=warehouse,
        ),
        "task_graph": TaskGraph(
            database=settings.snowflake_database,
            role=settings.snowflake_transformer_role,
            timeout_seconds=settings.core_timeout_seconds,
            warehouse=warehouse,
        ),
        "alert_topic": AlertTopic(topic_arn=settings.topic_arn("alerts"), aws=aws),
    }
