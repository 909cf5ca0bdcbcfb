"""Where the project's files lie, for tests that read them."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLE_DATA = ROOT / "sample_data"
