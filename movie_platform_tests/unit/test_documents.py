"""The documents speak the truth: commands that they name exist with the options that they give them, links lead on, and
files, folders, modules and names in code are there.
"""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from movie_platform.cli import app
from movie_platform_tests.paths import ROOT

CHANGELOG = ROOT / "CHANGELOG.md"
DOCUMENTS = [
    *sorted(path for path in ROOT.glob("*.md") if path != CHANGELOG),
    *sorted((ROOT / "docs").glob("**/*.md")),
    *sorted((ROOT / "deploy").glob("**/*.md")),
    ROOT / "sample_data" / "bundles" / "README.md",
]
GLOSSARY = ROOT / "docs" / "glossary.md"
_FENCE = re.compile(r"^```(?:console|bash|sh|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )*movie-platform [^`]+)`")
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)")
_ANCHOR = re.compile(r"\]\((?!https?://|mailto:)([^)#]*)#([^)]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_PLATFORM = ROOT / "movie_platform"
_ROOMS = sorted(path.name for path in _PLATFORM.iterdir() if path.is_dir() and path.name != "__pycache__")
# Not behind a slash, a dot or a word: those are addresses, hidden folders and names of other things.
_PATH = re.compile(
    r"(?<![\w./@:-])"
    r"((?:movie_platform|movie_platform_tests|glue_scripts|snowflake|deploy|docs|sample_data|\.github|\.ci)/[\w./*-]*)"
)
# Inside code a path may begin below movie_platform, and a file may be called by its name alone.
_ROOM_PATH = re.compile(rf"`((?:{'|'.join(_ROOMS)})/[\w./*-]+)`")
_FILE_NAME = re.compile(r"`([\w-]+\.(?:py|java|toml|sql|j2))`")
_DOTTED = re.compile(
    r"(?<![\w./@:-])((?:movie_platform|movie_platform_tests|glue_scripts)(?:\.[A-Za-z_]\w*)+)\b"
)
# What makes a dotted name the name of a file.
_SUFFIXES = frozenset({"p8", "pub"})
_MODULE_RUN = re.compile(r"python\S* -m ((?:movie_platform|movie_platform_tests|glue_scripts)[\w.]*)")
_NAME_IN_FILE = re.compile(r"`(\w+)` (?:in|of)\s+`([\w./-]+\.(?:py|sql|toml|yaml))`")
_CODE = re.compile(r"`([^`]+)`")


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


@pytest.mark.parametrize("document", [*DOCUMENTS, CHANGELOG], ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = _LINK.findall(document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in headings}


def test_an_anchor_is_a_heading_in_small_letters_without_punctuation() -> None:
    assert anchors_of("# IMDb's data sets\n## `tmdb`: The Movie Database") == {
        "imdbs-data-sets",
        "tmdb-the-movie-database",
    }


@pytest.mark.parametrize("document", [*DOCUMENTS, CHANGELOG], ids=lambda path: path.name)
def test_links_into_a_document_lead_to_a_heading(document: Path) -> None:
    lost = [
        f"{target}#{anchor}"
        for target, anchor in _ANCHOR.findall(document.read_text("utf-8"))
        if (to := document.parent / target if target else document).suffix == ".md"
        and anchor not in anchors_of(to.read_text("utf-8"))
    ]
    assert lost == []


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


def missing_paths(text: str) -> list[str]:
    """Files and folders of this tree that a text names and that are not there; `*` stands for any part of a name."""
    named = {path.rstrip(".") for path in _PATH.findall(text)}
    named |= {f"movie_platform/{path}" for path in _ROOM_PATH.findall(text)}
    missing = {path for path in named if not any(ROOT.glob(path.rstrip("/")))}
    return sorted(missing | {name for name in _FILE_NAME.findall(text) if not _is_a_file_here(name)})


def _is_a_file_here(name: str) -> bool:
    return bool(files_called(name))


def files_called(name: str) -> list[Path]:
    """The files of this tree that a path, whole or without its first folders, may mean."""
    folders = ("movie_platform", "movie_platform_tests", "glue_scripts", "snowflake", "deploy")
    whole = ROOT / name
    return (
        [whole] if whole.is_file() else [path for folder in folders for path in (ROOT / folder).rglob(name)]
    )


def names_astray(text: str) -> list[tuple[str, str]]:
    """Names that a text says to be in a file, and that no file so called holds."""
    return [
        (name, file)
        for name, file in _NAME_IN_FILE.findall(text)
        if not any(name in path.read_text("utf-8") for path in files_called(file))
    ]


def missing_modules(text: str) -> list[str]:
    """Dotted names in a text that are neither modules nor what a module holds, and modules that cannot be run."""
    named = {name for name in _DOTTED.findall(text) if name.rpartition(".")[2] not in _SUFFIXES}
    missing = {name for name in named if not _is_importable(name)}
    missing |= {name for name in _MODULE_RUN.findall(text) if not _is_runnable(name)}
    return sorted(missing)


def _is_importable(name: str) -> bool:
    module, attributes = name, list[str]()
    while not _module_file(module):
        module, _, last = module.rpartition(".")
        if not module:
            return False
        attributes.insert(0, last)
    found: object = importlib.import_module(module) if attributes else module
    for attribute in attributes:
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def _is_runnable(module: str) -> bool:
    file = _module_file(module)
    if file is not None and file.name == "__init__.py":
        file = file.with_name("__main__.py")
    return file is not None and file.is_file() and "__main__" in f"{file.name} {file.read_text('utf-8')}"


def _module_file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_and_modules_that_a_document_names_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    assert missing_paths(text) + missing_modules(text) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_that_a_document_says_to_be_in_a_file_are_there(document: Path) -> None:
    assert names_astray(document.read_text("utf-8")) == []


def test_the_test_notices_a_name_that_is_not_in_its_file() -> None:
    assert names_astray("`_KINDS` of\n`profiles.py`, `KINDS` in `sources/kinds.py`") == [
        ("_KINDS", "profiles.py")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "the module movie_platform/sources/sql_adbc.py.",
        "`movie_platform/frobnicate`",
        "`sources/sql_adbc.py` reads",
        "`frobnicate.py`",
        "movie_platform_tests/*/test_frobnicate_*.py",
        "docs/frobnicate.md",
    ],
)
def test_the_test_notices_a_path_that_does_not_exist(text: str) -> None:
    assert len(missing_paths(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "python -m movie_platform.bundles.schema_compiler",
        ".venv/bin/python -m movie_platform.bundles.verify",
        "`movie_platform.sources.protocol.Sauce`",
    ],
)
def test_the_test_notices_a_module_that_does_not_exist_or_cannot_be_run(text: str) -> None:
    assert len(missing_modules(text)) == 1


def test_the_test_passes_over_what_only_looks_like_a_path() -> None:
    text = (
        "`/etc/movie_platform/movie_platform.p8`, $PWD/.movie_platform/dagster, s3://bucket/movie_platform/x,"
        " `movie_platform.p8`, `movie_platform/sources/files/source.py`, `snowflake/`, `sources/tmdb`,"
        " movie_platform.sources.protocol.Source, python -m movie_platform.local_cloud.snowflake --home HOME"
    )
    assert missing_paths(text) + missing_modules(text) == []


def glossary_places() -> Iterator[tuple[str, list[str], list[str]]]:
    """Of each row of the glossary: our word, and the paths and the names in code of its last column."""
    for line in GLOSSARY.read_text("utf-8").splitlines():
        if not line.startswith("| ") or line.startswith("| our word"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 4, line
        code = _CODE.findall(cells[3])
        yield cells[0], [item for item in code if "/" in item], [item for item in code if "/" not in item]


def test_each_word_of_the_glossary_says_where_it_is_in_the_code() -> None:
    astray = [
        (word, name)
        for word, paths, names in glossary_places()
        for name in names
        if not any(name in (ROOT / path).read_text("utf-8") for path in paths)
    ]
    assert astray == []
    assert [word for word, paths, _ in glossary_places() if not paths] == []


def test_every_decision_is_in_the_list_with_its_title_and_status() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text("utf-8")
    for number, path in enumerate(sorted(folder.glob("[0-9]*.md")), 1):
        title, status = re.findall(
            r"^# (.+)\n\nStatus: (\w[^,]*), \d{4}-\d{2}$", path.read_text("utf-8"), re.MULTILINE
        )[0]
        assert title.startswith(f"{number}. ")
        assert path.name.startswith(f"{number:04}-")
        assert f"| [{number:04}]({path.name}) | {title.partition('. ')[2]} | {status} |" in listed
        sections = re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)
        assert sections == ["Context", "Decision", "Consequences", "Looked at instead"]
