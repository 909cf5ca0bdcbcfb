"""The exception of the generated manifest validator, in the place of fastjsonschema's own."""


class JsonSchemaValueException(ValueError):  # noqa: N818 - the name that generated code raises
    """A value breaks the schema; the message names its path, for example `data.files[0].rows must be
    integer`.
    """
