"""Which tables, views and streams a statement's tree reads, and whether the session may read them.

Sources: Snowflake documentation, "Access control privileges", "Introduction to streams" ("Required access privileges":
a stream asks for SELECT on itself and on its table), "Overview of views" (a view reads with its owner's rights),
"Snowflake Information Schema" and "Account Usage" (SNOWFLAKE is for administrators unless it is shared with others).
"""

from collections.abc import Iterable, Set

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, compilation_error, does_not_exist
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.privileges import Access, Securable, Verdict
from movie_platform.local_cloud.snowflake.statements.authorizing import insufficient
from movie_platform.local_cloud.snowflake.text.names import FullName, Name
from movie_platform.local_cloud.snowflake.text.tokens import parse_name

_READABLE = ("TABLE", "VIEW", "STREAM")
_INFORMATION_SCHEMA = "INFORMATION_SCHEMA"
_SHARED = "SNOWFLAKE"
_SHARED_PRIVILEGE = "IMPORTED PRIVILEGES"


def tables_read(tree: Expr) -> list[exp.Table]:
    """The tables that a tree reads: not what it changes or makes, and not what it names itself (WITH)."""
    return [
        table for table in tree.find_all(exp.Table) if not is_target(table) and not _is_named_query(table)
    ]


def is_target(table: exp.Table) -> bool:
    """Whether a table is the one that a statement changes or makes."""
    node: Expr = table.parent if isinstance(table.parent, exp.Schema) else table
    changing = exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.Create | exp.TruncateTable
    return isinstance(node.parent, changing) and node.arg_key in {"this", "expressions"}


def _is_named_query(table: exp.Table) -> bool:
    if table.db or not isinstance(table.this, exp.Identifier):
        return False
    inside: Expr = table
    for outer in _ancestors(table):
        clause = outer.args.get("with_")
        if isinstance(clause, exp.With):
            names = [query.alias_or_name.upper() for query in clause.expressions]
            if inside is clause:
                # Within a named query: those before it may be named, and itself where it is recursive.
                own = next(index for index, query in enumerate(clause.expressions) if _contains(query, table))
                names = names[: own + 1] if clause.recursive else names[:own]
            if table.name.upper() in names:
                return True
        inside = outer
    return False


def _ancestors(node: Expr) -> Iterable[Expr]:
    while node.parent is not None:
        node = node.parent
        yield node


def _contains(outer: Expr, inner: Expr) -> bool:
    return any(node is outer for node in _ancestors(inner))


def reads(session: Session, tree: Expr) -> tuple[Access, ...]:
    """What a tree reads, by full names."""
    return tuple(
        dict.fromkeys(
            Access("SELECT", name) for name in (_name(session, table) for table in tables_read(tree)) if name
        )
    )


def _name(session: Session, table: exp.Table) -> FullName | None:
    if isinstance(table.this, exp.Identifier):
        parts = [
            None
            if not isinstance(part, exp.Identifier)
            else part.this
            if part.quoted
            else str(part.this).upper()
            for part in (table.args.get("catalog"), table.args.get("db"), table.this)
        ]
        name = Name(parts[0], parts[1], str(parts[2]))
    elif isinstance(table.this, exp.DynamicIdentifier) and isinstance(table.this.this, exp.Literal):
        name = parse_name(table.this.this.name)
    else:
        # A function: it asks for itself.
        return None
    return session.resolve(name)


def authorize(session: Session, accesses: Iterable[Access]) -> None:
    """Raises SnowflakeError unless the session may do all of this."""
    roles = session.roles()
    for access in accesses:
        # A temporary table or view is its session's alone, and hides what else has its name.
        if session.translator.temporaries.kind_of(access.name) is None:
            _authorize(session, roles, access)


def _authorize(session: Session, roles: Set[str], access: Access) -> None:
    name, privileges = access.name, session.account.access.privileges
    if name.database == _SHARED:
        shared = Securable.database(_SHARED)
        if "ACCOUNTADMIN" not in roles and _SHARED_PRIVILEGE not in privileges.held(roles, shared):
            raise does_not_exist("Database", _SHARED)
        return
    if name.schema == _INFORMATION_SCHEMA:
        _require(session, roles, Securable.database(name.database), access)
        return
    securables = [Securable.in_schema(kind, name) for kind in _READABLE]
    found = next((each for each in securables if privileges.owner(each) is not None), None)
    if found is None:
        # Not there, or a temporary table, which is its session's alone.
        found = Securable.schema(name.database, name.schema)
        _require(session, roles, found, access)
        if session.account.engine.has_table(name) or session.account.engine.has_view(name):
            raise does_not_exist("Object", str(name))
        return
    _require(session, roles, found, access)
    if found.kind == "STREAM":
        stream = session.account.streams.find(session.duck, name)
        if stream is not None and not stream.base_gone:
            _authorize(session, roles, Access("SELECT", stream.table))
    elif found.kind == "VIEW":
        _expand(session, found, name)


def _require(session: Session, roles: Set[str], securable: Securable, access: Access) -> None:
    privileges = session.account.access.privileges
    if securable.kind in {"DATABASE", "SCHEMA"}:
        missing = next(
            (each for each in (*securable.containers, securable) if not privileges.held(roles, each)), None
        )
        if missing is not None:
            raise does_not_exist(missing.kind.capitalize(), missing.name)
        return
    verdict, found = privileges.decide(roles, securable, [access.privilege])
    if verdict is Verdict.HIDDEN:
        kind = "Object" if found.kind in _READABLE else found.kind.capitalize()
        raise does_not_exist(kind, found.name)
    if verdict is Verdict.INSUFFICIENT:
        raise insufficient(session, found)


def _expand(session: Session, view: Securable, name: FullName) -> None:
    """A view's own reading, with its owner's rights."""
    access = session.account.access
    owner = access.privileges.owner(view)
    roles = access.privileges.with_inherited([] if owner is None else [owner])
    try:
        for source in access.view_sources(name):
            _authorize(session, roles, Access("SELECT", source))
    except SnowflakeError as error:
        raise compilation_error(
            2037, "42601", f"Failure during expansion of view '{name.name}': {error.message}"
        ) from error
