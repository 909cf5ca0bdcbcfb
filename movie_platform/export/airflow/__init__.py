"""The pipeline as Airflow DAGs, made from the asset graph.

definitions -> `dagster_adapter` -> `form` (the graph as plain JSON) -> `plan` (what each DAG holds) -> `rendering`
(Jinja2 templates beside it) -> files. The DAGs hold what they need: an Airflow worker has no movie_platform, only
the worker that extracts runs its command.
"""

from movie_platform.export.airflow.dagster_adapter import read_graph
from movie_platform.export.airflow.export_error import UnsupportedDefinitionError
from movie_platform.export.airflow.form import GraphForm
from movie_platform.export.airflow.rendering import ExtractWorker, render_files
from movie_platform.export.airflow.variables import airflow_variables
from movie_platform.export.airflow.writing import write_files

__all__ = [
    "ExtractWorker",
    "GraphForm",
    "UnsupportedDefinitionError",
    "airflow_variables",
    "read_graph",
    "render_files",
    "write_files",
]
