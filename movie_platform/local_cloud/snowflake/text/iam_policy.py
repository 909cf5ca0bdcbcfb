"""What IAM's policy documents allow: identity, trust and bucket policies. Pure.

Source: AWS documentation, "IAM JSON policy elements reference" and "Policy evaluation logic"
(docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html). A condition that is not understood is not
met.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """Who (an ARN, None for whom the policy belongs to) wants to do what; `context` has lower-case condition keys."""

    action: str
    resource: str
    principal: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


def allows(documents: Iterable[Document], request: Request) -> bool:
    """Whether a statement of the documents allows the request and none denies it."""
    found = [
        str(statement.get("Effect", ""))
        for document in documents
        for statement in _statements(document)
        if _applies(statement, request)
    ]
    return "Allow" in found and "Deny" not in found


def denies(documents: Iterable[Document], request: Request) -> bool:
    """Whether a statement of the documents denies the request."""
    return any(
        statement.get("Effect") == "Deny" and _applies(statement, request)
        for document in documents
        for statement in _statements(document)
    )


def _statements(document: Document) -> list[Document]:
    found = document.get("Statement", ())
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, Mapping)]


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _like(pattern: str, text: str) -> bool:
    expression = "".join(".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _applies(statement: Document, request: Request) -> bool:
    return (
        _names(statement, "Action", request.action.lower(), fold=True)
        and _names(statement, "Resource", request.resource)
        and _is_for(statement, request.principal)
        and _holds(statement.get("Condition"), request.context)
    )


def _names(statement: Document, element: str, text: str, *, fold: bool = False) -> bool:
    # A trust policy names no resource: it is about the role that it belongs to.
    if element not in statement and f"Not{element}" not in statement:
        return element == "Resource"
    named = _texts(statement.get(element, statement.get(f"Not{element}")))
    found = any(_like(pattern.lower() if fold else pattern, text) for pattern in named)
    return found == (element in statement)


def _is_for(statement: Document, principal: str | None) -> bool:
    if principal is None:
        return True
    named = statement.get("Principal")
    if named == "*":
        return True
    if not isinstance(named, Mapping):
        return False
    account = principal.split(":")[4] if principal.count(":") >= 5 else ""
    of_account = {account, f"arn:aws:iam::{account}:root"} if account else set()
    return any(item == "*" or item == principal or item in of_account for item in _texts(named.get("AWS")))


def _holds(conditions: object, context: Mapping[str, str]) -> bool:
    if not isinstance(conditions, Mapping):
        return conditions is None
    return all(
        isinstance(keys, Mapping)
        and all(
            _met(str(operator), _texts(values), context.get(str(key).lower())) for key, values in keys.items()
        )
        for operator, keys in conditions.items()
    )


def _met(operator: str, wanted: list[str], value: str | None) -> bool:
    name, _, optional = operator.partition("IfExists")
    del optional
    if value is None:
        return operator.endswith("IfExists") or name in {"StringNotEquals", "StringNotLike"}
    if name in {"StringEquals", "ArnEquals"}:
        return value in wanted
    if name == "StringNotEquals":
        return value not in wanted
    if name in {"StringLike", "ArnLike"}:
        return any(_like(pattern, value) for pattern in wanted)
    if name == "StringNotLike":
        return not any(_like(pattern, value) for pattern in wanted)
    if name in {"StringEqualsIgnoreCase", "Bool"}:
        return value.lower() in {item.lower() for item in wanted}
    return False
