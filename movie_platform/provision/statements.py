"""How a file of SQL is split into statements.

The connector's own splitter knows Snowflake's quotes, `$$` bodies and comments. It cuts `BEGIN … END` bodies
of tasks apart as well; they are put together again here.
"""

import re
from io import StringIO

from snowflake.connector.util_text import split_statements as split

# `BEGIN` with a body, as against `BEGIN`, `BEGIN WORK` and `BEGIN TRANSACTION`, which open a transaction.
_OPENS_BODY = re.compile(r"(?:^|\bAS\s+)BEGIN\s+(?!(?:WORK|TRANSACTION|NAME)\b)\S", re.IGNORECASE)
_CLOSES_BODY = re.compile(r"END", re.IGNORECASE)


def split_statements(text: str) -> tuple[str, ...]:
    """The statements of a text, without their last semicolons and without comments.

    Raises ValueError for a body that is not closed.
    """
    statements: list[str] = []
    body: list[str] = []
    depth = 0
    for statement, _is_put_or_get in split(StringIO(text), remove_comments=True):
        bare = (statement or "").strip().removesuffix(";").rstrip()
        if not bare:
            continue
        if _OPENS_BODY.search(bare):
            depth += 1
        elif depth and _CLOSES_BODY.fullmatch(bare):
            depth -= 1
        body.append(bare)
        if not depth:
            statements.append(";\n".join(body))
            body = []
    if body:
        raise ValueError(f"BEGIN without END: {' '.join(body[0].split())[:100]}")
    return tuple(statements)
