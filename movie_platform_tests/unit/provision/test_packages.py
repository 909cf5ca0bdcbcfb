"""The packages that AWS runs: the same bytes for the same sources, and all that the code in them imports."""

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from movie_platform.provision.archives import deterministic_zip
from movie_platform.provision.artifacts import Artifact
from movie_platform.provision.glue_package import build_modules_zip

NAMES = st.text(alphabet="abcdefgh/_.", min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.binary(max_size=200)), st.randoms())
def test_a_zip_depends_on_its_entries_and_not_on_their_order(entries, random):
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    packed = deterministic_zip(dict(shuffled))
    assert packed == deterministic_zip(entries)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == entries


def test_the_glue_modules_are_the_same_bytes_each_time():
    assert build_modules_zip() == build_modules_zip()


def test_the_glue_modules_hold_the_contracts_and_pipes_but_neither_the_entry_nor_the_platform():
    with zipfile.ZipFile(io.BytesIO(build_modules_zip())) as archive:
        names = set(archive.namelist())
    assert {"glue_scripts/__init__.py", "dagster_pipes/__init__.py", "movie_platform/__init__.py"} <= names
    assert {"movie_platform/contracts/tables.py", "movie_platform/contracts/locations.py"} <= names
    assert "glue_scripts/transform_movies.py" not in names
    assert not [name for name in names if name.startswith("movie_platform/") and "settings" in name]
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_glue_modules_can_be_imported_from_the_zip_alone(tmp_path):
    import subprocess
    import sys

    path = tmp_path / "modules.zip"
    path.write_bytes(build_modules_zip())
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import dagster_pipes, movie_platform.contracts.locations, glue_scripts\n"
        "assert sys.argv[1] in movie_platform.__file__ and sys.argv[1] in glue_scripts.__file__"
    )
    subprocess.run([sys.executable, "-I", "-c", code, str(path)], check=True, timeout=60)


def test_a_key_is_made_of_the_content():
    one = Artifact.of("P", "unpack", "zip", b"one")
    assert one.key == Artifact.of("Other", "unpack", "zip", b"one").key
    assert one.key != Artifact.of("P", "unpack", "zip", b"two").key
    assert one.key.startswith("packages/unpack-")
    assert one.key.endswith(".zip")
