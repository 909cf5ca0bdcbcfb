"""The documents speak the truth: commands that they name exist with the options that they give them, links lead on."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from movie_platform.cli import app
from movie_platform_tests.paths import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
_FENCE = re.compile(r"^```(?:console|bash|sh|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )*movie-platform [^`]+)`")
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def commands_in(text: str) -> Iterator[str]:
    """Lines of shell blocks and inline code that call the command; continued lines are joined."""
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ")
            if re.match(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?movie-platform\b", command):
                yield command
    yield from _INLINE.findall(text)


def named_commands() -> list[tuple[str, str]]:
    return [
        (str(document.relative_to(ROOT)), command)
        for document in DOCUMENTS
        for command in commands_in(document.read_text("utf-8"))
    ]


def unknown_parts(command: str) -> list[str]:
    """Words of a command line that the program does not know: a subcommand or options."""
    words = shlex.split(command, comments=True)
    while words and not words[0].endswith("movie-platform"):
        words.pop(0)
    current = get_command(app)
    options = {option for parameter in current.params for option in parameter.opts}
    unknown = []
    takes_value = False
    for word in words[1:]:
        if takes_value:
            takes_value = False
        elif word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            known = [parameter for parameter in current.params if name in parameter.opts]
            if name in options and not known:
                takes_value = name == "--home" and "=" not in word
            elif not known and name != "--help":
                unknown.append(name)
            elif known:
                takes_value = not getattr(known[0], "is_flag", False) and "=" not in word
        elif isinstance(current, TyperGroup):
            if word not in current.commands:
                return [*unknown, word]
            current = current.commands[word]
    return unknown


@pytest.mark.parametrize(("document", "command"), named_commands(), ids=lambda value: value[:60])
def test_a_command_that_a_document_names_exists_with_its_options(document: str, command: str) -> None:
    assert unknown_parts(command) == [], f"{document} names `{command}`"


def test_the_test_notices_what_does_not_exist() -> None:
    assert unknown_parts("movie-platform frobnicate") == ["frobnicate"]
    assert unknown_parts("movie-platform cloud frobnicate") == ["frobnicate"]
    assert unknown_parts("movie-platform run --date 2026-11-18 --frobnicate") == ["--frobnicate"]
    assert unknown_parts("X=1 .venv/bin/movie-platform --home /x run --date 2026-11-18 --debug") == []


def test_the_readme_names_the_commands() -> None:
    named = {command for document, command in named_commands() if document == "README.md"}
    assert len(named) >= 8


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = _LINK.findall(document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_make_target_that_a_document_names_exists(document: Path) -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    named = set(re.findall(r"(?:^|`|&& )make ([a-z][a-z-]*)", document.read_text("utf-8"), re.MULTILINE))
    assert named <= targets


def test_folders_that_the_contributing_guide_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = re.findall(
        r"`((?:movie_platform|movie_platform_tests|glue_scripts|snowflake|deploy|docs)(?:/[\w./-]+)?)`", text
    )
    assert [path for path in paths if not (ROOT / path).exists()] == []
