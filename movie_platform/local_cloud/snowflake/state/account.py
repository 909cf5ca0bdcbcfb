"""The account: what all sessions and the background services share."""

from dataclasses import dataclass, field
from datetime import timedelta

from movie_platform.local_cloud.snowflake.state import information_schema, value_macros
from movie_platform.local_cloud.snowflake.state.access_store import AccessStore
from movie_platform.local_cloud.snowflake.state.clock import Clock
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake
from movie_platform.local_cloud.snowflake.state.parameter_store import ParameterStore
from movie_platform.local_cloud.snowflake.state.pipe_queue import PipeQueue
from movie_platform.local_cloud.snowflake.state.pipe_requests import PipeRequests
from movie_platform.local_cloud.snowflake.state.pipe_store import PipeStore
from movie_platform.local_cloud.snowflake.state.plan_cache import PlanCache
from movie_platform.local_cloud.snowflake.state.server_options import ServerOptions
from movie_platform.local_cloud.snowflake.state.storage_access import StorageAccess
from movie_platform.local_cloud.snowflake.state.stream_store import StreamStore
from movie_platform.local_cloud.snowflake.state.task_requests import TaskRequests
from movie_platform.local_cloud.snowflake.state.task_store import TaskStore


@dataclass
class Account:
    """The engine, the lake, a store for each kind of object, and what statements ask of the background services."""

    name: str
    engine: Engine
    lake: Lake
    options: ServerOptions = field(default_factory=ServerOptions)
    access: AccessStore = field(init=False)
    clock: Clock = field(init=False)
    storage: StorageAccess = field(init=False)
    parameters: ParameterStore = field(init=False)
    pipes: PipeStore = field(init=False)
    pipe_queue: PipeQueue = field(init=False)
    pipe_requests: PipeRequests = field(init=False, default_factory=PipeRequests)
    streams: StreamStore = field(init=False)
    tasks: TaskStore = field(init=False)
    task_requests: TaskRequests = field(init=False, default_factory=TaskRequests)
    plans: PlanCache = field(init=False, default_factory=PlanCache)

    def __post_init__(self) -> None:
        self.engine.run(value_macros.creation_sql())
        self.engine.run(information_schema.VIEWS)
        self.access = AccessStore(self.engine)
        self.clock = Clock(self.options.clock_file)
        self.storage = StorageAccess(
            self.lake, self.access, self.clock, timedelta(seconds=self.options.trust_delay_seconds)
        )
        self.parameters = ParameterStore(self.engine)
        self.pipes = PipeStore(self.engine)
        self.pipe_queue = PipeQueue(self.lake)
        self.streams = StreamStore(self.engine, self.clock)
        self.tasks = TaskStore(self.engine)
