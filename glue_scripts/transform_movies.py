"""Entry of the Glue job `transform`: see `glue_scripts.job` for what a run does."""

from pathlib import Path

from glue_scripts.job import main

if __name__ == "__main__":
    main(entry_script=Path(__file__))
