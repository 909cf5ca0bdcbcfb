"""The folder of one local cloud: what lies where. Paths only; who writes into them is said beside each."""

from dataclasses import dataclass
from pathlib import Path

from movie_platform.settings import CLOUD_FILE

# What `reset` deletes: everything that runs of the platform made. Ports and the key stay.
DATA_FOLDERS = ("lake", "aws", "glue", "warehouse", "dagster", "extracts", "demo", "logs", "tmp")


@dataclass(frozen=True, slots=True)
class Home:
    """The layout below one folder; two homes share nothing."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> "Home":
        """The home at a path, made absolute, so that a server's idea of it does not depend on where it was
        started.
        """
        return cls(path.expanduser().absolute())

    @property
    def cloud_file(self) -> Path:
        """Endpoints for `Settings`, and the servers' processes and ports."""
        return self.root / CLOUD_FILE

    @property
    def lock_file(self) -> Path:
        """Held while servers are started or stopped."""
        return self.root / ".cloud.lock"

    @property
    def lake(self) -> Path:
        """S3's objects as plain files, by account, bucket and key (MiniStack)."""
        return self.root / "lake"

    @property
    def aws(self) -> Path:
        """What MiniStack keeps beside objects: queues, topics, functions, stacks, log events."""
        return self.root / "aws"

    @property
    def glue(self) -> Path:
        """Records, staging folders and Spark configuration of job runs (the Glue gateway)."""
        return self.root / "glue"

    @property
    def warehouse(self) -> Path:
        """Database files of the local Snowflake."""
        return self.root / "warehouse"

    @property
    def logs(self) -> Path:
        """The servers' logs, a file each; the run log of the command."""
        return self.root / "logs"

    def temporary(self, server: str) -> Path:
        """Temporary files of one server; emptied when it starts."""
        return self.root / "tmp" / server

    @property
    def snowflake_key(self) -> Path:
        """The private key with which the orchestrator signs in to the local Snowflake."""
        return self.root / "snowflake_key.p8"

    @property
    def snowflake_options(self) -> Path:
        """More arguments for the local Snowflake, one a line, where somebody put the file there."""
        return self.root / "snowflake.options"

    @property
    def snowflake_admin_key(self) -> Path:
        """The private key of the local Snowflake's administrator."""
        return self.root / "snowflake_admin_key.p8"

    @property
    def snowflake_deployer_key(self) -> Path:
        """The private key with which `provision` signs in to the local Snowflake."""
        return self.root / "snowflake_deployer_key.p8"

    @property
    def snowflake_reader_key(self) -> Path:
        """The private key for tools that read the marts of the local Snowflake."""
        return self.root / "snowflake_reader_key.p8"

    @property
    def snowflake_keys(self) -> tuple[Path, ...]:
        """The keys of all users of the local Snowflake."""
        return (
            self.snowflake_key,
            self.snowflake_admin_key,
            self.snowflake_deployer_key,
            self.snowflake_reader_key,
        )

    def create(self) -> None:
        """Make the folder, private to its owner (it holds a key), and those that servers expect."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.lake, self.aws, self.glue, self.warehouse, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
