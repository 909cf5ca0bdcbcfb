"""The error of an export: definitions that Airflow DAGs cannot express."""

from movie_platform.errors import ConfigurationError


class UnsupportedDefinitionError(ConfigurationError):
    """The definitions say something that the Airflow DAGs have no counterpart of."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__("not_exportable", what, next_step)
