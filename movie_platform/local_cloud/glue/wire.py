"""Glue's wire protocol (AWS JSON 1.1) without HTTP: operation names, validated inputs, encoded outputs and
errors.

Inputs are validated against the service's own model, which botocore ships: the same types, required members
and lengths that AWS checks.
"""

import base64
import binascii
import functools
import json
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate

CONTENT_TYPE = "application/x-amz-json-1.1"
_TARGET_PREFIX = "AWSGlue."


class GlueError(Exception):
    """An answer in Glue's form: `code` is the name of one of its exceptions."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def entity_not_found(message: str) -> GlueError:
    """Glue's error for a job or a run that does not exist."""
    return GlueError("EntityNotFoundException", message)


def invalid_input(message: str) -> GlueError:
    """Glue's error for a request that keeps the model but makes no sense."""
    return GlueError("InvalidInputException", message)


@functools.cache
def _service() -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(
        botocore.loaders.Loader().load_service_model("glue", "service-2"), "glue"
    )


def operation_of(target: str | None) -> str:
    """The operation that the header `X-Amz-Target` names. Raises `GlueError` where it names none of Glue's."""
    if target is None or not target.startswith(_TARGET_PREFIX):
        raise GlueError("UnknownOperationException", "the header X-Amz-Target names no operation of Glue")
    return target.removeprefix(_TARGET_PREFIX)


def parse(operation: str, body: bytes) -> dict[str, Any]:
    """The validated input of an operation. Raises `GlueError` with what is wrong with it."""
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise GlueError("SerializationException", f"the body is not JSON: {error}") from error
    shape = _service().operation_model(operation).input_shape
    assert shape is not None
    report = botocore.validate.ParamValidator().validate(document, shape)
    if report.has_errors():
        raise GlueError("ValidationException", report.generate_report())
    return document


def member_names(shape: str) -> frozenset[str]:
    """The members that the service's model gives a structure, such as `Job` or `JobUpdate`."""
    model = _service().shape_for(shape)
    assert isinstance(model, botocore.model.StructureShape)
    return frozenset(model.members)


def encode(output: dict[str, Any]) -> bytes:
    """The body of an answer; members that are None are left out, as Glue leaves them out."""
    return json.dumps(_without_none(output)).encode()


def encode_error(error: GlueError) -> bytes:
    """The body of an error, in the form of AWS's JSON protocol."""
    return json.dumps({"__type": error.code, "Message": error.message}).encode()


def encode_token(position: str) -> str:
    """A page's position as a NextToken, which callers pass back and do not read."""
    return base64.urlsafe_b64encode(position.encode()).decode()


def decode_token(token: str) -> str:
    """The position in a token. Raises `GlueError` for a token that no answer contained."""
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise invalid_input("NextToken is not one that this service gave") from error


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_none(member) for member in value]
    return value
