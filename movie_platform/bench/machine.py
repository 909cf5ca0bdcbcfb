"""What a reader must know of the machine to compare figures: processors, memory, load."""

import os
import platform

import psutil

from movie_platform.bench.report import Machine


def this_machine(load_before: float) -> Machine:
    """This machine, with its load average before the benchmark and now."""
    return Machine(
        processors=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(),
        python=platform.python_version(),
        load_before=round(load_before, 2),
        load_after=round(os.getloadavg()[0], 2),
    )
