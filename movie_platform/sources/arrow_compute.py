"""Arrow's compute functions, for modules that type checkers read: Arrow makes them at import, where none sees them."""

from typing import Any

import pyarrow.compute

pc: Any = pyarrow.compute
