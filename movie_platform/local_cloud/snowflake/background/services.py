"""What works in the background: Snowpipe and the scheduler of tasks, started and stopped together."""

from movie_platform.local_cloud.snowflake.background.scheduler import Scheduler
from movie_platform.local_cloud.snowflake.background.snowpipe import Snowpipe
from movie_platform.local_cloud.snowflake.state.account import Account


class Services:
    """The background services of one account. They are started once: what was stopped does not start again."""

    def __init__(self, account: Account) -> None:
        self._snowpipe = Snowpipe(account)
        self._scheduler = Scheduler(account)

    def start(self) -> None:
        """Starts them."""
        self._snowpipe.start()
        self._scheduler.start()

    def stop(self) -> None:
        """Stops them; returns when they have ended what they were at."""
        self._scheduler.stop()
        self._snowpipe.stop()
