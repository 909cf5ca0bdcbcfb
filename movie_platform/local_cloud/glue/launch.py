"""Runs a job's script as a program and leaves the exception that ended it, if one did, in a file.

`python launch.py SCRIPT REPORT [arguments…]`: standard library only, because it runs where the script runs,
before and beside whatever the script imports. The report is JSON: {"error": "<type>: <message>"}.
"""

import json
import runpy
import sys
from pathlib import Path

_MESSAGE_LIMIT = 4000


def main() -> None:
    """Run the script; its exception, or its exit code, becomes this process's."""
    script, report, *arguments = sys.argv[1:]
    sys.argv = [script, *arguments]
    # As if the script had been started by itself: its own folder, not this module's, is the first to import
    # from.
    sys.path[0] = str(Path(script).parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        if error.code not in (None, 0):
            _report(report, f"SystemExit: {error.code}")
        raise
    except BaseException as error:
        _report(report, f"{type(error).__name__}: {error}")
        raise


def _report(path: str, text: str) -> None:
    Path(path).write_text(json.dumps({"error": text[:_MESSAGE_LIMIT]}), "utf-8")


if __name__ == "__main__":
    main()
