"""The account: what all sessions share."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from movie_platform.local_cloud.snowflake.state.access_store import AccessStore
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake
from movie_platform.local_cloud.snowflake.state.plan_cache import PlanCache
from movie_platform.local_cloud.snowflake.state.stream_store import StreamStore

if TYPE_CHECKING:
    from movie_platform.local_cloud.snowflake.background.scheduler import TaskService
    from movie_platform.local_cloud.snowflake.background.snowpipe import PipeService
    from movie_platform.local_cloud.snowflake.statements.router import Router


@dataclass
class Account:
    """The engine, the lake, access records, the router, and the services that work in the background."""

    name: str
    engine: Engine
    lake: Lake
    access: AccessStore = field(init=False)
    router: "Router" = field(init=False)
    pipes: "PipeService" = field(init=False)
    streams: StreamStore = field(init=False)
    tasks: "TaskService" = field(init=False)
    plans: PlanCache = field(init=False, default_factory=PlanCache)

    def __post_init__(self) -> None:
        # Late imports: statements and services refer to sessions, which refer to the account.
        from movie_platform.local_cloud.snowflake.background.scheduler import TaskService
        from movie_platform.local_cloud.snowflake.background.snowpipe import PipeService
        from movie_platform.local_cloud.snowflake.statements.router import Router

        self.access = AccessStore(self.engine)
        self.streams = StreamStore(self.engine)
        self.pipes = PipeService(self.engine, self.lake)
        self.tasks = TaskService(self)
        self.router = Router()

    def start(self) -> None:
        """Starts the background services."""
        self.pipes.start()
        self.tasks.start()

    def stop(self) -> None:
        """Stops them; returns when they have ended what they were at."""
        self.tasks.stop()
        self.pipes.stop()
