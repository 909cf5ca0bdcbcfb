"""A session's temporary tables and views: which there are, and where statements find them.

DuckDB keeps them in its own database `temp`, which belongs to the connection, in one schema. There each has a name of
its own, so that several schemas may have one of a name, and a permanent one may be hidden. They end with the session's
connection.

Source: Snowflake documentation, "Working with Temporary and Transient Tables" (potential naming conflicts: the
temporary one takes precedence), "CREATE VIEW".
"""

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.text.names import FullName, Name

_DATABASE, _SCHEMA = "temp", "main"


class TemporaryRelations:
    """The temporary tables and views of one session."""

    def __init__(self) -> None:
        self._kinds: dict[FullName, str] = {}
        self._numbers: dict[FullName, int] = {}

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def kind_of(self, name: FullName) -> str | None:
        """TABLE or VIEW; None where there is no temporary one of that name."""
        return self._kinds.get(name)

    def add(self, name: FullName, kind: str) -> None:
        """A temporary table or view was made."""
        self._kinds[name] = kind

    def remove(self, name: FullName) -> None:
        """A temporary table or view was dropped."""
        self._kinds.pop(name, None)

    def place(self, name: FullName) -> FullName:
        """Where DuckDB has, or is to have, a temporary table or view of a name."""
        number = self._numbers.setdefault(name, len(self._numbers) + 1)
        return FullName(_DATABASE, _SCHEMA, f"_TEMPORARY_{number}_{name.name}")

    def located(self, name: FullName) -> FullName:
        """Where DuckDB has what a name means to the session: in `temp`, or where it says."""
        return self.place(name) if name in self._kinds else name

    def put_into(self, tree: Expr, database: str | None, schema: str | None) -> None:
        """Has a statement read and write the temporary ones that it names.

        Raises SnowflakeError for a permanent view on one of them.
        """
        if not self._kinds or isinstance(tree, exp.Show):
            return
        made = _made(tree)
        for table in list(tree.find_all(exp.Table)):
            name = resolved(table, database, schema)
            if table is made or name is None or name not in self._kinds or _is_shadowed(table):
                continue
            if isinstance(tree, exp.Create) and tree.kind == "VIEW" and not _is_temporary(tree):
                raise unsupported(f"a permanent view on the temporary {self._kinds[name].lower()} {name}")
            _put(table, name, self.place(name))
        _shorten_columns(tree)


def resolved(table: exp.Table, database: str | None, schema: str | None) -> FullName | None:
    """The full name that a table in a tree has; None where it has none, or is where DuckDB keeps temporary ones."""
    parts = [
        None if not isinstance(part, exp.Identifier) else part.this if part.quoted else str(part.this).upper()
        for part in (table.args.get("catalog"), table.args.get("db"), table.this)
    ]
    if parts[2] is None or parts[0] == _DATABASE:
        return None
    name = Name(parts[0], parts[1], parts[2])
    if (name.database or database) is None or (name.schema or schema) is None:
        return None
    return name.resolve(database, schema)


def _made(tree: Expr) -> Expr | None:
    # What a CREATE makes: a permanent one beside a temporary one of the same name.
    if not isinstance(tree, exp.Create):
        return None
    return tree.this.this if isinstance(tree.this, exp.Schema) else tree.this


def _is_temporary(tree: exp.Create) -> bool:
    properties = tree.args.get("properties")
    return properties is not None and any(
        isinstance(item, exp.TemporaryProperty) for item in properties.expressions
    )


def _is_shadowed(table: exp.Table) -> bool:
    # The name of a WITH around it means that.
    if table.args.get("db") is not None:
        return False
    node: Expr | None = table
    while node is not None:
        with_ = node.args.get("with_") or node.args.get("with")
        if with_ is not None and any(
            str(item.alias).upper() == str(table.name).upper() for item in with_.expressions
        ):
            return True
        node = node.parent
    return False


def move(table: exp.Table, target: FullName) -> None:
    """Has a table in a tree mean another."""
    for part, text in (("catalog", target.database), ("db", target.schema), ("this", target.name)):
        table.set(part, exp.to_identifier(text, quoted=True))


def _put(table: exp.Table, name: FullName, place: FullName) -> None:
    takes_alias = not isinstance(table.parent, exp.Create | exp.Alter | exp.Schema) and not (
        isinstance(table.parent, exp.Insert) and table.arg_key == "this"
    )
    if takes_alias and table.args.get("alias") is None:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name.name, quoted=True)))
    move(table, place)


def _shorten_columns(tree: Expr) -> None:
    # A column that names its table in full finds it by its alias now.
    aliases = {
        str(table.alias) for table in tree.find_all(exp.Table) if table.catalog == _DATABASE and table.alias
    }
    for column in tree.find_all(exp.Column):
        if column.args.get("db") is not None and column.table.upper() in aliases:
            column.set("db", None)
            column.set("catalog", None)
