"""The README of the local Snowflake shows code that is tested, and options and files that exist."""

import ast
import re
import sys
from pathlib import Path

from movie_platform.local_cloud import snowflake
from movie_platform.local_cloud.snowflake.__main__ import make_parser
from movie_platform_tests.paths import ROOT

PACKAGE = Path(*snowflake.__path__)
README = PACKAGE / "README.md"
EXAMPLE = ROOT / "movie_platform_tests/integration/local_cloud/snowflake/test_example_of_use.py"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_example_in_the_readme_is_the_file_that_is_tested() -> None:
    assert EXAMPLE.read_text("utf-8") in blocks("python")


def test_the_commands_in_the_readme_have_options_that_exist() -> None:
    commands = [
        block.replace("\\\n", " ").split("movie_platform.local_cloud.snowflake ")[1]
        for block in blocks("console")
    ]
    assert len(commands) == 2
    for command in commands:
        assert make_parser().parse_args(command.split()).home == Path("my_snowflake")


def test_the_links_in_the_readme_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", README.read_text("utf-8"))
    assert links
    assert [link for link in links if not (PACKAGE / link).exists()] == []


def test_the_readme_names_every_package_that_is_imported() -> None:
    names = {
        "duckdb": "DuckDB",
        "jwt": "PyJWT",
        "snowflake": "snowflake-connector-python",
        "starlette": "Starlette",
    }
    text = README.read_text("utf-8")
    imported = {
        name.partition(".")[0]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    others = imported - sys.stdlib_module_names - {"movie_platform"}
    assert "uvicorn" in others
    assert [name for name in sorted(others) if names.get(name, name) not in text] == []
