"""The account: what all sessions share."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from movie_platform.local_cloud.snowflake.access.store import AccessStore
from movie_platform.local_cloud.snowflake.engine import Engine
from movie_platform.local_cloud.snowflake.lake import Lake
from movie_platform.local_cloud.snowflake.plans import PlanCache
from movie_platform.local_cloud.snowflake.streams.store import StreamStore

if TYPE_CHECKING:
    from movie_platform.local_cloud.snowflake.pipes.service import PipeService
    from movie_platform.local_cloud.snowflake.router import Router
    from movie_platform.local_cloud.snowflake.tasks.service import TaskService


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
        from movie_platform.local_cloud.snowflake.pipes.service import PipeService
        from movie_platform.local_cloud.snowflake.router import Router
        from movie_platform.local_cloud.snowflake.tasks.service import TaskService

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
