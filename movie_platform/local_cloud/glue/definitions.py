"""Job definitions: MiniStack's, completed with the parts that MiniStack drops.

MiniStack's catalog decides which jobs exist, because jobs are made in two ways and only one passes through
here: by Glue's API, and by MiniStack's own CloudFormation. What it drops of a definition (`ExecutionProperty`
and others) is completed from

1. the last CreateJob or UpdateJob that passed through here, as long as the catalog's record is still the one
   that this request left; else, somebody else has defined the job since,
2. the stack that holds the job: its template, with parameters and pseudo parameters put in.

A property that decides how a run is carried out and that uses an intrinsic function beyond `Ref` and
`Fn::Sub` is refused with a clear error rather than guessed.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from movie_platform.local_cloud.glue import wire
from movie_platform.local_cloud.glue.backend import Backend
from movie_platform.local_cloud.glue.run_store import RunStore

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_LOG = logging.getLogger(__name__)

# What MiniStack 1.5 keeps of a job; all other members of Glue's Job are completed here.
_KEPT_BY_CATALOG = frozenset(
    {
        "Name",
        "Description",
        "Role",
        "Command",
        "DefaultArguments",
        "NonOverridableArguments",
        "Connections",
        "MaxRetries",
        "Timeout",
        "GlueVersion",
        "NumberOfWorkers",
        "WorkerType",
        "MaxCapacity",
        "SecurityConfiguration",
        "CreatedOn",
        "LastModifiedOn",
        "Tags",
    }
)
# UpdateJob replaces a definition as a whole, MiniStack changes only what is named: these reset the rest.
_DEFAULTS: dict[str, Any] = {
    "Description": "",
    "DefaultArguments": {},
    "NonOverridableArguments": {},
    "Connections": {},
    "MaxRetries": 0,
    "Timeout": 2880,
    "GlueVersion": "3.0",
    "NumberOfWorkers": 2,
    "WorkerType": "G.1X",
    "MaxCapacity": None,
    "SecurityConfiguration": "",
}
# What a stack's parameters give as text, as which MiniStack keeps it.
_WHOLE_NUMBERS = frozenset({"MaxRetries", "NumberOfWorkers", "Timeout"})
_ESSENTIAL = "ExecutionProperty"
_JOB_TYPE = "AWS::Glue::Job"
_DEFAULT_CONCURRENCY = 1


class Definitions:
    """Reads and changes job definitions. Raises `wire.GlueError`, as Glue does."""

    def __init__(self, backend: Backend, cloudformation: "CloudFormationClient", store: RunStore) -> None:
        self._backend = backend
        self._cloudformation = cloudformation
        self._store = store

    def get(self, name: str) -> dict[str, Any]:
        """A job's definition, with what MiniStack dropped of it put back."""
        return self._completed(self._backend.call("GetJob", {"JobName": name})["Job"])

    def all(self) -> list[dict[str, Any]]:
        """The definitions of all jobs, each as `get` gives it, in the order of their names."""
        jobs: list[dict[str, Any]] = self._backend.call("GetJobs", {})["Jobs"]
        return [self._completed(job) for job in sorted(jobs, key=lambda job: str(job["Name"]))]

    def names(self, tags: Mapping[str, str] | None = None) -> list[str]:
        """The names of all jobs, in order; with `tags`, of those that have them all."""
        jobs: list[dict[str, Any]] = self._backend.call("GetJobs", {})["Jobs"]
        return sorted(
            str(job["Name"])
            for job in jobs
            if not tags or tags.items() <= dict(job.get("Tags") or {}).items()
        )

    def create(self, request: Mapping[str, Any]) -> None:
        """Define a job. What MiniStack would drop of the request is kept here."""
        _check_command(request)
        self._backend.call("CreateJob", request)
        self._remember(str(request["Name"]), request)

    def update(self, name: str, update: Mapping[str, Any]) -> None:
        """Replace a job's definition: what the update leaves out gets Glue's default."""
        _check_command(update)
        self._backend.call("UpdateJob", {"JobName": name, "JobUpdate": {**_DEFAULTS, **update}})
        self._remember(name, update)

    def delete(self, name: str) -> None:
        """Forget a job; no error where there is none, as in Glue."""
        self._backend.call("DeleteJob", {"JobName": name})
        self._store.drop_job_request(name)

    def _remember(self, name: str, request: Mapping[str, Any]) -> None:
        kept = self._backend.call("GetJob", {"JobName": name})["Job"]
        self._store.keep_job_request(name, _fingerprint(kept), request)

    def _completed(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        name = str(kept["Name"])
        known = self._store.job_request(name)
        if known is not None and known[0] == _fingerprint(kept):
            source: Mapping[str, Any] = known[1]
        else:
            source = self._stack_properties(name)
        members = wire.member_names("Job")
        dropped = {
            member: value
            for member, value in source.items()
            if member in members and member not in _KEPT_BY_CATALOG
        }
        # MiniStack writes "" and {} for what was not given; Glue leaves such members out.
        given = {
            member: _as_kept_type(member, value)
            for member, value in kept.items()
            if member in members and value not in ("", {}, None)
        }
        dropped.setdefault(_ESSENTIAL, {"MaxConcurrentRuns": _DEFAULT_CONCURRENCY})
        return {**given, **dropped}

    def _stack_properties(self, job_name: str) -> dict[str, Any]:
        """The dropped properties of a job that a stack made; empty for a job of no stack."""
        for stack in self._stacks():
            for resource in self._resources(stack["StackName"]):
                if resource["ResourceType"] == _JOB_TYPE and resource.get("PhysicalResourceId") == job_name:
                    return self._template_properties(stack, resource["LogicalResourceId"], job_name)
        return {}

    def _stacks(self) -> Iterator[Any]:
        for page in self._cloudformation.get_paginator("describe_stacks").paginate():
            yield from page["Stacks"]

    def _resources(self, stack_name: str) -> Iterator[Any]:
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
        for page in pages:
            yield from page["StackResourceSummaries"]

    def _template_properties(
        self, stack: Mapping[str, Any], logical_id: str, job_name: str
    ) -> dict[str, Any]:
        body: Any = self._cloudformation.get_template(
            StackName=stack["StackName"], TemplateStage="Processed"
        ).get("TemplateBody", {})
        template = parse_template(body) if isinstance(body, str) else body
        resource = template.get("Resources", {}).get(logical_id, {})
        values = stack_values(stack, template)
        properties: dict[str, Any] = {}
        for name, value in resource.get("Properties", {}).items():
            if name in _KEPT_BY_CATALOG:
                continue
            try:
                properties[name] = resolve(value, values)
            except UnresolvedError as error:
                if name == _ESSENTIAL:
                    raise wire.invalid_input(
                        f"job {job_name}: {name} in the template of stack {stack['StackName']} uses {error}, "
                        "which the local Glue cannot evaluate; write a literal, a Ref to a parameter or a Fn::Sub"
                    ) from error
                _LOG.warning("job %s: %s is left out: it uses %s", job_name, name, error)
        return as_wire_types(properties)


def max_concurrent_runs(definition: Mapping[str, Any]) -> int:
    """How many runs of a job may be active at once."""
    return int(definition.get(_ESSENTIAL, {}).get("MaxConcurrentRuns") or _DEFAULT_CONCURRENCY)


class UnresolvedError(Exception):
    """A template's value uses a function, or names a parameter, that is not known here."""


def resolve(value: Any, values: Mapping[str, str]) -> Any:
    """A template's value with `Ref` and `Fn::Sub` put in. Raises `UnresolvedError` for other functions."""
    if isinstance(value, list):
        return [resolve(item, values) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return _value_of(str(value["Ref"]), values)
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return re.sub(
            r"\$\{(!?)([^}]+)\}",
            lambda found: f"${{{found[2]}}}" if found[1] else _value_of(found[2], values),
            value["Fn::Sub"],
        )
    for name in value:
        if name.startswith("Fn::") or name == "Condition":
            raise UnresolvedError(name)
    return {name: resolve(item, values) for name, item in value.items()}


def _value_of(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise UnresolvedError(f"a reference to {name}")
    return values[name]


def stack_values(stack: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, str]:
    """What `Ref` may name in a stack's template, resources aside."""
    _, _, _, region, account, _ = str(stack["StackId"]).split(":", 5)
    defaults = {
        str(name): str(parameter["Default"])
        for name, parameter in template.get("Parameters", {}).items()
        if "Default" in parameter
    }
    given = {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", ())}
    pseudo = {
        "AWS::AccountId": account,
        "AWS::Region": region,
        "AWS::Partition": "aws",
        "AWS::StackName": str(stack["StackName"]),
        "AWS::StackId": str(stack["StackId"]),
        "AWS::URLSuffix": "amazonaws.com",
    }
    return {**pseudo, **defaults, **given}


def as_wire_types(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties with the types of Glue's protocol: a template's parameters are text, the protocol's numbers
    are not.
    """
    typed = dict(properties)
    concurrency = typed.get(_ESSENTIAL)
    if isinstance(concurrency, dict) and "MaxConcurrentRuns" in concurrency:
        number = as_number(f"{_ESSENTIAL}.MaxConcurrentRuns", concurrency["MaxConcurrentRuns"])
        typed[_ESSENTIAL] = {"MaxConcurrentRuns": number}
    if "JobRunQueuingEnabled" in typed:
        typed["JobRunQueuingEnabled"] = str(typed["JobRunQueuingEnabled"]).lower() == "true"
    return typed


def as_number(name: str, value: Any) -> int:
    """A whole number that a template's parameter gave as text. Raises `wire.GlueError` for what is none."""
    text = str(value)
    if not text.isdecimal():
        raise wire.invalid_input(f"{name} is {text!r}, which is no number")
    return int(text)


def _as_kept_type(member: str, value: Any) -> Any:
    """What MiniStack keeps of a member, with the type that Glue's protocol gives the member."""
    if member in _WHOLE_NUMBERS:
        return as_number(member, value)
    if member == "MaxCapacity":
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise wire.invalid_input(f"{member} is {value!r}, which is no number") from error
    return value


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (`!Ref X`) as their long ones."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_TemplateLoader.add_multi_constructor("!", _short_form)


def parse_template(text: str) -> dict[str, Any]:
    """A CloudFormation template, JSON or YAML."""
    # A subclass of the safe loader, which makes plain values only.
    document = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506 - _TemplateLoader is a SafeLoader
    return document if isinstance(document, dict) else {}


def _check_command(definition: Mapping[str, Any]) -> None:
    kind = definition.get("Command", {}).get("Name", "glueetl")
    if kind not in ("glueetl", "pythonshell"):
        raise wire.invalid_input(
            f"Command.Name is {kind!r}: the local Glue runs glueetl (PySpark) and pythonshell jobs"
        )


def _fingerprint(kept: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
