"""Writes docs/structure.md: the rooms of the code and which imports which, as measured from the imports.

`make structure` renews it and prints the sizes; a unit test says when it is out of date.
"""

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

import grimp
import networkx as nx

from movie_platform_tests.paths import ROOT

DOCUMENT = ROOT / "docs" / "structure.md"
PLATFORM = "movie_platform"
PICTURES = {
    PLATFORM: "The platform",
    "movie_platform.sources": "Sources",
    "movie_platform.local_cloud": "The local cloud",
    "movie_platform.local_cloud.snowflake": "The local Snowflake",
    "glue_scripts": "The Glue job",
}

_INTRODUCTION = """Made from the imports by `make structure`. An arrow says that what it leaves imports what it
points at; arrows that a longer way says as well are left out. The rules that keep it so are import-linter's
contracts in `pyproject.toml`; `make check` asks them."""

Arrows = Mapping[str, frozenset[str]]


def arrows_inside(graph: grimp.ImportGraph, package: str) -> Arrows:
    """For each child of a package the other children that it, or anything in it, imports."""
    children = graph.find_children(package)
    return {
        child: frozenset(
            other
            for other in children - {child}
            if graph.direct_import_exists(importer=child, imported=other, as_packages=True)
        )
        for child in children
    }


def reduced(arrows: Arrows) -> Arrows:
    """The arrows without those that a longer way says as well. They must form no circle."""
    graph = nx.transitive_reduction(nx.DiGraph({name: list(targets) for name, targets in arrows.items()}))
    return {name: frozenset(graph.successors(name)) for name in arrows}


def mermaid(arrows: Arrows) -> str:
    """A flow chart in Mermaid's language, always in the same order."""
    lines = ["```mermaid", "flowchart TD"]
    alone = set(arrows) - {name for targets in arrows.values() for name in targets}
    lines += [f"    {_node(name)}" for name in sorted(arrows) if name in alone and not arrows[name]]
    lines += [
        f"    {_node(name)} --> {_node(target)}" for name in sorted(arrows) for target in sorted(arrows[name])
    ]
    return "\n".join([*lines, "```"])


def purpose(module: str) -> str:
    """The first sentence of a module's or package's docstring."""
    text = ast.get_docstring(ast.parse(_file(module).read_text("utf-8"))) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".")


def document() -> str:
    """The text of docs/structure.md."""
    graph = grimp.build_graph(PLATFORM, "glue_scripts", cache_dir=None)
    parts = ["# Structure", _INTRODUCTION]
    for package, title in PICTURES.items():
        arrows = arrows_inside(graph, package)
        rooms = sorted(name for name in arrows if graph.find_children(name)) or sorted(arrows)
        parts += [f"## {title}", mermaid(reduced(arrows)), _table(rooms)]
    return "\n\n".join(parts) + "\n"


def sizes() -> str:
    """Files and lines of each room of the platform, for the terminal."""
    rows = [
        (room, *_size(room)) for room in sorted(p.name for p in (ROOT / PLATFORM).iterdir() if p.is_dir())
    ]
    return "\n".join(f"{room:20} {files:4} files {lines:6} lines" for room, files, lines in rows if files)


def _size(room: str) -> tuple[int, int]:
    files = list((ROOT / PLATFORM / room).rglob("*.py"))
    return len(files), sum(len(file.read_text("utf-8").splitlines()) for file in files)


def _table(modules: list[str]) -> str:
    rows = [f"| `{_path(module)}` | {purpose(module)} |" for module in modules]
    return "\n".join(["| where | what belongs in it |", "|---|---|", *rows])


def _node(module: str) -> str:
    name = module.rpartition(".")[2]
    # "graph" and "end" alone are words of Mermaid's language.
    return f'{name}_["{name}"]'


def _file(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _path(module: str) -> str:
    file = _file(module).relative_to(ROOT)
    return str(file.parent if file.name == "__init__.py" else file)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
    sys.stdout.write(sizes() + "\n")
