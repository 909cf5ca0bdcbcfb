"""A second platform in the accounts of a local cloud, for tests that must not see what others land and load."""

from movie_platform.settings import Settings


def another(settings: Settings, name: str) -> Settings:
    """Its settings: nothing of it has the name of anything of the first. It has yet to be provisioned."""
    return settings.model_copy(
        update={
            "name_prefix": f"movies-{name}",
            "snowflake_database": f"MOVIES_{name.upper()}",
            "snowflake_warehouse": f"MOVIES_{name.upper()}_WH",
        }
    )
