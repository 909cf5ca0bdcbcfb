"""Makes what lies in sample_data beside the changes: `python -m movie_platform_tests.sample_files`.

An extract of some 200 real films (CC0), the bundle of it, and small bundles that are wrong in one way each. Parquet
names the library version that wrote it, so its bytes may differ from one version of pyarrow to the next.
"""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from movie_platform.bundle_writing.write import write_extract
from movie_platform.bundle_writing.zipping import write_zip
from movie_platform.bundles.manifest import ProducerInfo, SourceInfo
from movie_platform.bundles.read import FolderReader
from movie_platform.raw_rows import RowBatch
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform_tests.hostile_bundles import FAULTS
from movie_platform_tests.paths import SAMPLE_DATA

BUNDLES = SAMPLE_DATA / "bundles"
GOOD = "good.zip"
BAD = (
    "not_a_zip",
    "truncated",
    "encrypted",
    "bomb_by_ratio",
    "path_with_dots",
    "symlink",
    "extra_file",
    "missing_file",
    "missing_manifest",
    "unknown_format_version",
    "wrong_sha256",
    "wrong_row_count",
    "columns_that_no_contract_knows",
    "invalid_utf8",
    "ragged_row",
)
_DT = date(2026, 11, 18)
_MOMENT = datetime(2026, 11, 18, 6, 0, 0, tzinfo=UTC)
# Every 87th of 17,472 films.
_EVERY = 87


def make_sample_files(target: Path = SAMPLE_DATA) -> None:
    """Writes all sample files into `target`, replacing those of before."""
    bundles = target / "bundles"
    bundles.mkdir(parents=True, exist_ok=True)
    for old in bundles.glob("*.zip"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="sample-") as temporary:
        extract = Path(temporary) / "extract"
        manifest = write_extract(
            _some_films(Path(temporary) / "home"),
            extract,
            dt=_DT,
            source=SourceInfo("sample", "sql", {"data_set": "bokeh-sampledata movies.db (CC0)"}),
            load_type="full",
            extracted_at=_MOMENT,
            producer=ProducerInfo("movie-platform", "sample"),
        )
        shutil.copyfile(extract / manifest.files_of("csv")[0].path, target / "raw_movie_data.csv")
        shutil.copyfile(extract / manifest.files_of("parquet")[0].path, target / "movie_data.parquet")
        shutil.copyfile(extract / "manifest.json", target / "manifest.json")
        with (bundles / GOOD).open("wb") as file:
            write_zip(FolderReader(extract), file)
    faults = {fault.name: fault for fault in FAULTS}
    for name in BAD:
        (bundles / f"{faults[name].expected.value}.{name}.zip").write_bytes(faults[name].make())


def _some_films(home: Path) -> Iterator[RowBatch]:
    settings = Settings(home=home)
    source = open_source(load_profile("demo", settings=settings), settings=settings)
    row = 0
    for batch in source.batches(_DT, None):
        wanted = [index for index in range(batch.rows.num_rows) if (row + index) % _EVERY == 0]
        row += batch.rows.num_rows
        yield RowBatch(batch.rows.take(wanted), batch.rejected)


if __name__ == "__main__":
    make_sample_files()
