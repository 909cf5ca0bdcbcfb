"""The asset graph as plain data: what the export knows of the definitions, and nothing of Dagster or Airflow.

Everything is sorted, so that one graph has one JSON text, and the text's hash says whether DAGs are of this graph.
"""

import json
from dataclasses import asdict, dataclass

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Freshness:
    """Ages, in seconds, of an asset's newest materialization: `fail` misses the service level."""

    fail_seconds: int
    warn_seconds: int | None


@dataclass(frozen=True, slots=True, order=True)
class Retries:
    """How often a step is tried again; `backoff` is constant, linear or exponential."""

    max_retries: int
    delay_seconds: float
    backoff: str
    jitter: bool


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset. `key` is its address, parts joined by '/'; `step` is what makes it, None for an external one."""

    key: str
    step: str | None
    group: str
    description: str
    deps: tuple[str, ...]
    owners: tuple[str, ...]
    kinds: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    freshness: Freshness | None

    @property
    def name(self) -> str:
        """The last part of the address: what the asset is called within its group."""
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Check:
    """A claim about an asset. `step` evaluates it; `blocking` stops what is downstream where it does not hold."""

    asset: str
    name: str
    step: str
    blocking: bool
    description: str


@dataclass(frozen=True, slots=True)
class Step:
    """What makes one asset, or several at once."""

    name: str
    assets: tuple[str, ...]
    retries: Retries | None
    pool: str | None
    partitioned: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the extract runs. `steps` are those of its job; `first_day` (ISO) is the first partition."""

    name: str
    description: str
    cron: str
    timezone: str
    steps: tuple[str, ...]
    first_day: str
    period_seconds: int


@dataclass(frozen=True, slots=True)
class GraphForm:
    """The whole graph; each tuple is sorted. `not_carried` are definitions without a counterpart, in words."""

    assets: tuple[Asset, ...]
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    schedule: Schedule
    not_carried: tuple[str, ...]

    def asset(self, key: str) -> Asset:
        """The asset at an address; KeyError where there is none."""
        for asset in self.assets:
            if asset.key == key:
                return asset
        raise KeyError(f"the graph has no asset {key}")

    def step(self, name: str) -> Step:
        """The step of a name; KeyError where there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(f"the graph has no step {name}")

    def checks_of(self, step: Step) -> tuple[Check, ...]:
        """The checks of all assets that a step makes, in the order of the form."""
        return tuple(check for check in self.checks if check.asset in step.assets)

    def upstream(self, step: Step) -> tuple[str, ...]:
        """Addresses of what a step reads and does not make itself, sorted."""
        deps = {dep for key in step.assets for dep in self.asset(key).deps}
        return tuple(sorted(deps - set(step.assets)))

    def edges(self) -> frozenset[tuple[str, str]]:
        """(upstream, downstream) of all dependencies between assets."""
        return frozenset((dep, asset.key) for asset in self.assets for dep in asset.deps)

    def step_edges(self) -> frozenset[tuple[str, str]]:
        """The dependencies as tasks can state them: every asset that a step reads, to every asset that it makes."""
        return frozenset(
            (dep, key) for step in self.steps for dep in self.upstream(step) for key in step.assets
        )

    def to_json(self) -> str:
        """The form as sorted JSON, ending in a line end."""
        document = {"format_version": FORMAT_VERSION, **asdict(self)}
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
