"""The Dagster code location. Importing it has no side effects: definitions are made when Dagster asks for them."""

import dagster as dg

from movie_platform.build import build_defs
from movie_platform.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions for the settings that the environment gives."""
    return build_defs(Settings())
