# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE, each as one transaction (or part of the session's)."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import load_history
from movie_platform.local_cloud.snowflake.state.plan_cache import Plan, PlanKey
from movie_platform.local_cloud.snowflake.state.privileges import Access
from movie_platform.local_cloud.snowflake.state.translate import Prepared, parse
from movie_platform.local_cloud.snowflake.statements.functions import replace_functions
from movie_platform.local_cloud.snowflake.statements.needing_a_warehouse import require_warehouse
from movie_platform.local_cloud.snowflake.statements.noting_changes import noting_changes
from movie_platform.local_cloud.snowflake.statements.reading import authorize, reads
from movie_platform.local_cloud.snowflake.statements.reading_streams import consume, replace_streams
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, Name, quoted

_BATCH_ROWS = 100_000


def change(session: Session, statement: Statement) -> result_set.Result:
    """INSERT, UPDATE or DELETE; with array bindings once for each row, all in one transaction."""
    if not statement.describe_only:
        require_warehouse(session)
    plans = session.account.plans
    key = _plan_key(session, statement)
    known = plans.find(key) if key is not None else None
    if known is not None:
        authorize(session, known.accesses)
        return _run(session, lambda: known, lambda: [()])
    generation = plans.generation
    tree = parse(statement.sql)
    if isinstance(tree, exp.Insert):
        names, kind = ("number of rows inserted",), result_set.INSERT
    elif isinstance(tree, exp.Update):
        names, kind = ("number of rows updated", "number of multi-joined rows updated"), result_set.UPDATE
    elif isinstance(tree, exp.Delete):
        names, kind = ("number of rows deleted",), result_set.DELETE
    else:
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    if statement.describe_only:
        return result_set.counts(names, [0] * len(names), kind)
    accesses = _accesses(session, tree)
    authorize(session, accesses)
    parameters = statement.bindings.values
    if isinstance(tree, exp.Insert) and tree.args.get("overwrite"):
        return _overwrite(session, tree, parameters)
    target = None if isinstance(tree, exp.Insert) else full_name(session, tree.this)
    preparation = _Preparation(session, tree, parameters)

    def plan() -> Plan:
        return Plan(
            tuple(preparation.inside_transaction()),
            target,
            isinstance(tree, exp.Update),
            names,
            kind,
            accesses,
        )

    if key is not None and not preparation.reads_streams:
        plans.keep(key, plan(), generation)
    return _run(
        session,
        plan,
        lambda: statement.bindings.rows if statement.bindings.is_array else [preparation.parameters],
    )


def _accesses(session: Session, tree: exp.Insert | exp.Update | exp.Delete) -> tuple[Access, ...]:
    """What a statement does with which table."""
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    privileges = [type(tree).__name__.upper()]
    if tree.args.get("overwrite"):
        # INSERT: "To use the OVERWRITE option … your role must have the DELETE privilege".
        privileges.append("DELETE")
    changed = full_name(session, target)
    return (*(Access(privilege, changed) for privilege in privileges), *reads(session, tree))


def _plan_key(session: Session, statement: Statement) -> PlanKey | None:
    """What a statement's plan is kept under; None where it is made anew each time."""
    if statement.bindings.values or statement.describe_only or session.translator.temporaries:
        return None
    return PlanKey(statement.sql, session.database, session.schema, session.translator.timestamp_mapping)


def _run(
    session: Session, plan: Callable[[], Plan], rows: Callable[[], Sequence[Sequence[Any]]]
) -> result_set.Result:
    """Executes a plan, which is made inside the transaction, once for each row of bindings."""

    def work() -> tuple[Plan, int]:
        made = plan()

        def execute() -> int:
            return sum(_execute(session, made.prepared, list(row)) for row in rows())

        if made.target is None:
            return made, execute()
        return made, noting_changes(session, made.target, execute, updates=made.updates)

    done, count = session.atomically(work)
    return result_set.counts(done.names, [count, *([0] * (len(done.names) - 1))], done.kind)


class _Preparation:
    """The translation of DML. Where it reads streams it is made inside the transaction that moves their offsets:
    two statements that consume a stream at the same moment must not both be given the same rows.
    """

    def __init__(self, session: Session, tree: Expr, parameters: list[Any]) -> None:
        self._session = session
        self._tree = tree.copy()
        self._bound = list(parameters)
        self.parameters = list(parameters)
        self.reads_streams = bool(replace_streams(session, tree))
        self._prepared = [] if self.reads_streams else self._translate(tree)

    def inside_transaction(self) -> list[Prepared]:
        """The statements to execute now."""
        if self.reads_streams:
            tree, self.parameters = self._tree.copy(), list(self._bound)
            consume(self._session, replace_streams(self._session, tree))
            self._prepared = self._translate(tree)
        return self._prepared

    def _translate(self, tree: Expr) -> list[Prepared]:
        return self._session.translator.prepare(
            replace_functions(self._session, tree, self.parameters), self.parameters
        )


_OVERWRITING = "_OVERWRITING"


def _overwrite(session: Session, tree: exp.Insert, parameters: list[Any]) -> result_set.Result:
    # The new rows may be read from the table itself: they are put aside before it is emptied.
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(session, target)
    path = session.translator.temporaries.located(name).sql
    if replace_streams(session, tree.expression):
        raise unsupported("INSERT OVERWRITE from a stream")
    (query,) = session.translator.prepare(replace_functions(session, tree.expression, parameters), parameters)
    columns = ""
    if isinstance(tree.this, exp.Schema):
        chosen = [item.this if item.quoted else str(item.this).upper() for item in tree.this.expressions]
        columns = f" ({', '.join(quoted(column) for column in chosen)})"

    def work() -> int:
        session.duck.execute(f"CREATE OR REPLACE TEMP TABLE {_OVERWRITING} AS {query.sql}", query.parameters)
        noting_changes(session, name, lambda: session.duck.execute(f"DELETE FROM {path}"), updates=False)
        row = session.duck.execute(f"INSERT INTO {path}{columns} FROM temp.main.{_OVERWRITING}").fetchone()
        session.duck.execute(f"DROP TABLE temp.main.{_OVERWRITING}")
        return int(row[0]) if row else 0

    return result_set.counts(("number of rows inserted",), (session.atomically(work),), result_set.INSERT)


def _execute(session: Session, prepared: Sequence[Prepared], parameters: list[Any]) -> int:
    count = 0
    for part in prepared:
        row = session.duck.execute(part.sql, parameters if part.parameters is not None else None).fetchone()
        count = int(row[0]) if row else 0
    return count


_ACTIONS = {
    "INSERT": "number of rows inserted",
    "UPDATE": "number of rows updated",
    "DELETE": "number of rows deleted",
}


def merge(session: Session, statement: Statement) -> result_set.Result:
    """MERGE, by DuckDB's own: one atomic statement that refuses a target row with several source rows."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.Merge):
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    wanted = _merge_actions(tree)
    names = [name for action, name in _ACTIONS.items() if action in wanted]
    if statement.describe_only:
        return result_set.counts(names, [0] * len(names), result_set.MERGE)
    require_warehouse(session)
    target = full_name(session, tree.this)
    authorize(session, [*(Access(action, target) for action in sorted(wanted)), *reads(session, tree)])
    preparation = _Preparation(session, tree, statement.bindings.values)

    def work() -> Counter[str]:
        (prepared,) = preparation.inside_transaction()
        if wanted == {"INSERT"}:
            return execute(prepared)
        return noting_changes(session, target, lambda: execute(prepared), updates="UPDATE" in wanted)

    def execute(prepared: Prepared) -> Counter[str]:
        relation = session.duck.execute(f"{prepared.sql} RETURNING merge_action", prepared.parameters)
        done: Counter[str] = Counter()
        while rows := relation.fetchmany(_BATCH_ROWS):
            done.update(row[0] for row in rows)
        return done

    done = session.atomically(work)
    return result_set.counts(
        names, [done[action] for action in _ACTIONS if action in wanted], result_set.MERGE
    )


def _merge_actions(tree: exp.Merge) -> set[str]:
    actions: set[str] = set()
    for when in tree.args["whens"].expressions:
        then = when.args["then"]
        if isinstance(then, exp.Insert):
            actions.add("INSERT")
        elif isinstance(then, exp.Update):
            actions.add("UPDATE")
        elif isinstance(then, exp.Var) and then.name.upper() == "DELETE":
            actions.add("DELETE")
        else:
            raise unsupported(f"MERGE … THEN {then.sql(dialect='snowflake')}")
    return actions


def truncate(session: Session, statement: Statement) -> result_set.Result:
    """TRUNCATE TABLE: removes all rows and the table's load metadata, so that COPY loads the same files again."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.TruncateTable) or len(tree.expressions) != 1:
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    table = tree.expressions[0]
    name = full_name(session, table)
    located = session.translator.temporaries.located(name)
    if tree.args.get("exists") and located == name and not session.account.engine.has_table(name):
        return result_set.done()
    require_warehouse(session)
    authorize(session, [Access("TRUNCATE", name)])

    def work() -> None:
        noting_changes(
            session, name, lambda: session.duck.execute(f"DELETE FROM {located.sql}"), updates=False
        )
        load_history.forget_table(session.duck, name)

    session.atomically(work)
    return result_set.done()


def full_name(session: Session, table: exp.Table) -> FullName:
    """The full name of a table in a tree that is not translated yet."""

    def part(identifier: Any) -> str | None:
        if not isinstance(identifier, exp.Identifier):
            return None
        return identifier.this if identifier.quoted else str(identifier.this).upper()

    name = part(table.this)
    if name is None:
        raise unsupported(f"the object name {table.sql(dialect='snowflake')}")
    return session.resolve(Name(part(table.args.get("catalog")), part(table.args.get("db")), name))
