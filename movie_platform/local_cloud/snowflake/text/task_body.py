"""A task's body as a list of plain statements. Pure.

Snowflake takes one statement or a Snowflake Scripting block; here a block is BEGIN, plain statements, END. What else
Scripting has (variables, conditions, loops, handlers) is refused.
"""

from movie_platform.local_cloud.snowflake.errors import syntax_error, unsupported
from movie_platform.local_cloud.snowflake.text.tokens import Kind, Token, tokenize

_TRANSACTION = frozenset({"TRANSACTION", "WORK", "NAME"})
_SCRIPTING = frozenset(
    {
        "AWAIT", "BREAK", "CALL", "CASE", "CLOSE", "CONTINUE", "DECLARE", "EXCEPTION", "FETCH", "FOR", "IF", "LET",
        "LOOP", "OPEN", "RAISE", "REPEAT", "RETURN", "WHILE",
    }
)  # fmt: skip


def split_body(body: str) -> tuple[str, ...]:
    """The statements of a task's body, in order.

    Raises SnowflakeError for a block that is not closed or empty, and for scripting.
    """
    tokens = [token for token in tokenize(body) if token.kind is not Kind.END]
    if not tokens:
        raise syntax_error("the task has no SQL")
    if not _opens_block(tokens):
        if any(token.kind is Kind.SYMBOL and token.text == ";" for token in tokens[:-1]):
            raise syntax_error("several statements of a task stand between BEGIN and END.")
        return (body.strip().rstrip(";").rstrip(),)
    last = tokens.pop() if tokens[-1].text == ";" else None
    if tokens[-1].kind is not Kind.WORD or tokens[-1].text.upper() != "END":
        raise syntax_error(f"BEGIN without END near '{(last or tokens[-1]).text}'.")
    statements: list[str] = []
    start: Token | None = None
    for token in tokens[1:-1]:
        if token.kind is Kind.SYMBOL and token.text == ";":
            if start is not None:
                statements.append(body[start.start : token.start].rstrip())
            start = None
        elif start is None:
            start = token
            if token.kind is Kind.WORD and token.text.upper() in _SCRIPTING:
                raise unsupported(f"Snowflake Scripting ({token.text.upper()}) in a task")
    if start is not None:
        raise syntax_error(f"a statement before END has no semicolon: '{body[start.start :][:40]}'.")
    if not statements:
        raise syntax_error("BEGIN … END holds no statement.")
    for statement in statements:
        if _opens_block(list(tokenize(statement))[:-1]):
            raise unsupported("Snowflake Scripting (a block inside a block) in a task")
    return tuple(statements)


def _opens_block(tokens: list[Token]) -> bool:
    if tokens[0].kind is not Kind.WORD or tokens[0].text.upper() != "BEGIN":
        return False
    return len(tokens) > 1 and tokens[1].text != ";" and tokens[1].text.upper() not in _TRANSACTION
