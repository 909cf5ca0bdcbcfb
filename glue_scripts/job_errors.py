"""The errors that end a transform run. Each message says what is wrong, where, and what to do next."""


class TransformError(Exception):
    """Base of all errors that this job raises by itself."""


class ArgumentError(TransformError):
    """A job argument is missing or malformed; nothing was read or written."""


class BatchError(TransformError):
    """The `_VERIFIED.json` of the batch cannot be read or is not what this job understands."""


class InputMismatchError(TransformError):
    """A data file of the batch does not hold what the batch's manifest says."""


class ReconciliationError(TransformError):
    """Rows got lost or appeared on the way: what came in is not what goes out."""


class OutputError(TransformError):
    """An output file could not be put in its place."""


class CatalogError(TransformError):
    """The Glue Data Catalog refused a partition."""
