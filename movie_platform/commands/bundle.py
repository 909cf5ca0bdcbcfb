"""`movie-platform bundle`: the bundle format by itself, without any cloud."""

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options
from movie_platform.errors import ConfigurationError, PlatformError

if TYPE_CHECKING:
    from movie_platform.bundles.bundle_error import BundleError
    from movie_platform.bundles.manifest import Manifest
    from movie_platform.settings import Settings

app = typer.Typer(
    help="The bundle format by itself: make one, verify one, show one's manifest.", no_args_is_help=True
)

_BUNDLE = typer.Argument(
    metavar="BUNDLE.zip", exists=True, readable=True, help="A bundle, or an extract's folder."
)


@app.command(
    cls=Command,
    epilog="Example: movie-platform bundle make --profile my.toml --date 2026-11-18 --out films.zip",
)
def make(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", metavar="BUNDLE.zip", dir_okay=False, help="The file to write.")
    ],
    dt: Annotated[
        datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The UTC date that the bundle describes.")
    ],
    profile: Annotated[
        str | None, typer.Option(help="A built-in profile or a TOML file that describes the source.")
    ] = None,
    label_present: Annotated[
        bool,
        typer.Option(
            "--label-present", help="Let a live source's present state stand for the date, though it is past."
        ),
    ] = False,
) -> None:
    """Make a bundle from a source."""
    settings = global_options(context).settings()
    manifest = _make(
        settings, profile or settings.default_profile, dt.date(), out, label_present=label_present
    )
    console.show(
        f"{out}: batch {manifest.batch_id}, {manifest.row_count:,} rows, {manifest.rejected_count:,} rejected,"
        f" {console.format_bytes(out.stat().st_size)}"
    )


@app.command(cls=Command, epilog="Example: movie-platform bundle verify movies.zip")
def verify(
    bundle: Annotated[Path, _BUNDLE],
    source: Annotated[str | None, typer.Option(help="The source that it must belong to.")] = None,
    dt: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The date that it must describe.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Verify a bundle by the rules that the Lambda applies; exit 1 where it would go to quarantine."""
    from movie_platform.bundles.bundle_error import BundleError
    from movie_platform.bundles.verify import verify_folder, verify_path

    check = verify_folder if bundle.is_dir() else verify_path
    expected = dt.date() if dt else None
    try:
        verified = check(bundle, expected_source=source, expected_dt=expected)
    except BundleError as error:
        if not as_json:
            raise
        console.write_json(_verdict(error=error))
        raise typer.Exit(1) from error
    manifest = getattr(verified, "manifest", verified)
    if as_json:
        console.write_json(_verdict(manifest=manifest))
        return
    console.show(
        f"{bundle}: good. Source {manifest.source.name}, {manifest.dt}, batch {manifest.batch_id},"
        f" {manifest.row_count:,} rows, {manifest.rejected_count:,} rejected, {len(manifest.files)} files"
    )


@app.command(cls=Command, epilog="Example: movie-platform bundle show movies.zip")
def show(bundle: Annotated[Path, _BUNDLE]) -> None:
    """Print a bundle's manifest as JSON; its files are not looked at."""
    from movie_platform.bundles.read import read_manifest

    console.write_json(read_manifest(bundle).to_dict())


def _make(settings: "Settings", profile_name: str, dt: date, out: Path, *, label_present: bool) -> "Manifest":
    """Extract and zip beside the target, which appears only when it is complete."""
    from movie_platform.bundle_writing.write import write_extract
    from movie_platform.bundle_writing.zipping import write_zip
    from movie_platform.bundles.manifest import SourceInfo
    from movie_platform.bundles.read import FolderReader
    from movie_platform.sources.load_types import load_type_of
    from movie_platform.sources.profiles import load_profile, open_source

    if not out.parent.is_dir():
        raise ConfigurationError(
            "no_such_folder", f"there is no folder {out.parent}", "Make it, or name another --out."
        )
    profile = load_profile(profile_name, settings=settings)
    source = open_source(profile, settings=settings)
    extracted_at = datetime.now(UTC).replace(microsecond=0)
    if dt != extracted_at.date() and not (label_present or source.answers_as_of()):
        raise PlatformError(
            "not_available_as_of",
            f"source {profile.name} knows its present state only and was asked for that of {dt}",
            "Ask for today, or let the present stand for that date: --label-present.",
        )
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out.parent) as folder:
        extract, archive = Path(folder, "extract"), Path(folder, "bundle.zip")
        manifest = write_extract(
            source.batches(dt, None),
            extract,
            dt=dt,
            source=SourceInfo(profile.name, profile.kind, source.describe()),
            # No earlier bundle is known here: an incremental source gives everything.
            load_type=load_type_of(source, profile, None),
            extracted_at=extracted_at,
            columns=source.columns(),
            next_cursor=source.next_cursor,
        )
        with archive.open("wb") as file:
            write_zip(FolderReader(extract), file)
        archive.replace(out)
    return manifest


def _verdict(*, manifest: "Manifest | None" = None, error: "BundleError | None" = None) -> dict[str, Any]:
    return {
        "status": "good" if error is None else "bad",
        "manifest": None if manifest is None else manifest.to_dict(),
        "reason": None if error is None else error.to_dict(),
    }
