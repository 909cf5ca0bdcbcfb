"""Functions and classes of the platform as text, to stand in files that cannot import them.

What is embedded must be self-contained: standard library, or packages that the DAG's template imports. A name that
moved or disappeared is an error of the export, so that the DAGs follow the platform's code.
"""

import ast
import importlib
import inspect
from functools import lru_cache
from types import ModuleType

from movie_platform.export.airflow.export_error import UnsupportedDefinitionError


def embedded(module_name: str, *names: str) -> str:
    """Source of the named top-level definitions of a module, in the module's order, with the comments above each.

    Raises UnsupportedDefinitionError for a name that the module does not define at its top level.
    """
    found = _definitions(module_name)
    missing = [name for name in names if name not in found]
    if missing:
        raise UnsupportedDefinitionError(
            f"{module_name} does not define {', '.join(missing)}",
            "The Airflow templates embed them: name them there as they are called now.",
        )
    ordered = [name for name in found if name in names]
    parts: list[str] = []
    constants_before = False
    for name in ordered:
        text, is_constant = found[name]
        separator = "\n" if is_constant and constants_before else "\n\n\n"
        parts.append((separator if parts else "") + text)
        constants_before = is_constant
    return "".join(parts)


@lru_cache
def _definitions(module_name: str) -> dict[str, tuple[str, bool]]:
    """Text of each top-level definition, and whether it is a constant."""
    source = inspect.getsource(_module(module_name))
    lines = source.splitlines()
    found: dict[str, tuple[str, bool]] = {}
    for node in ast.parse(source).body:
        names, is_constant = _names(node)
        if not names:
            continue
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        text = "\n".join(line.rstrip() for line in lines[first : node.end_lineno])
        found.update(dict.fromkeys(names, (text, is_constant)))
    return found


def _module(name: str) -> ModuleType:
    return importlib.import_module(name)


def _names(node: ast.stmt) -> tuple[tuple[str, ...], bool]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,), False
        case ast.AnnAssign(target=ast.Name(id=name)):
            return (name,), True
        case ast.Assign(targets=targets):
            return tuple(target.id for target in targets if isinstance(target, ast.Name)), True
        case _:
            return (), False
