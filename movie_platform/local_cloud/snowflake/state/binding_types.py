"""Asks DuckDB's binder for the types of expressions inside a statement, without running it.

A rule that depends on types puts a question in the expression's place: a call that no function takes. The binder's
complaint names the types; the rule then writes what is to be there. Questions inside questions are answered first,
since the binder looks at arguments before the function. json_serialize_plan binds a statement inside the session's own
transaction, sees its temporary tables and uncommitted rows, and a complaint does not end the transaction.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import duckdb
from sqlglot import Expr, exp

_MARK = "_fs_question_"
_COMPLAINT = re.compile(
    rf"argument types 'strftime\((?P<types>.*), STRUCT\({_MARK}(?P<number>\d+) INTEGER\)\)'", re.S
)
_SCOPES = (exp.Select, exp.Update, exp.Merge, exp.Delete, exp.Insert)

Answer = Callable[[Expr, Sequence[str]], None]


@dataclass
class _Question:
    """Expressions that read the same in the same scope: they have one type, and must stay alike (GROUP BY)."""

    answer: Answer
    otherwise: Callable[[Expr], None]
    calls: list[exp.Anonymous] = field(default_factory=list)


class Questions:
    """The open questions on one statement's tree."""

    def __init__(self) -> None:
        self._questions: dict[str, _Question] = {}
        self._by_text: dict[tuple[int, str, str], str] = {}

    def ask(
        self,
        place: Expr,
        arguments: Sequence[Expr],
        rule: str,
        answer: Answer,
        otherwise: Callable[[Expr], None],
    ) -> None:
        """Puts a question on the types of `arguments` (parts of `place`, or `place` itself) in the place of `place`.

        `answer` gets the call that stands there now (its arguments in front) and the types, and replaces it;
        `otherwise` replaces it where there was no answer. `rule` tells questions with the same text apart.
        """
        scope = place.find_ancestor(*_SCOPES)
        key = (id(scope), rule, place.sql(dialect="duckdb"))
        number = self._by_text.setdefault(key, str(len(self._by_text)))
        question = self._questions.setdefault(number, _Question(answer, otherwise))
        holder = exp.Null()
        place.replace(holder)
        mark = exp.Var(this=f"{{'{_MARK}{number}': 0}}")
        call = exp.Anonymous(this="strftime", expressions=[*arguments, mark])
        holder.replace(call)
        question.calls.append(call)

    @property
    def open(self) -> bool:
        """Whether a question waits for its answer."""
        return bool(self._questions)

    def resolve(self, connection: duckdb.DuckDBPyConnection, sql: Callable[[], str]) -> None:
        """Has each question answered. `sql` gives the statement as it reads now, for DuckDB."""
        while self._questions:
            found = _COMPLAINT.search(complaint(connection, sql()))
            question = self._questions.pop(found["number"], None) if found is not None else None
            if found is None or question is None:
                break
            types = split_types(found["types"])
            for call in question.calls:
                question.answer(call, types)
        for question in self._questions.values():
            for call in question.calls:
                question.otherwise(call)
        self._questions.clear()


def complaint(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """What the binder says against a statement for DuckDB; empty where it has nothing to say."""
    [(plan,)] = connection.execute("SELECT json_serialize_plan(?)", [sql]).fetchall()
    return str(json.loads(plan).get("error_message", ""))


def split_types(text: str) -> list[str]:
    """Types in a list as DuckDB writes it: `DECIMAL(10,2), BIGINT`."""
    parts: list[str] = []
    depth = 0
    start = 0
    for position, character in enumerate(text):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]
