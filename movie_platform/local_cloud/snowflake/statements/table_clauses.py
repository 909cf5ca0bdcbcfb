"""Clauses of CREATE and ALTER TABLE / VIEW: what is taken out of a statement's tree before DuckDB gets the rest.

Comments are taken out and recorded, and so is how long what was is kept; keys are taken out of the text before, by
`tables`. Clauses without an effect that a query could see
(clustering, TRANSIENT, SECURE, COPY GRANTS) are accepted; whatever else is not understood is refused. Pure.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.state.retention import DEFAULTS, check_days

_RETENTION = frozenset({"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "CHANGE_TRACKING"})
_KEPT_CONSTRAINTS = (
    exp.NotNullColumnConstraint,
    exp.DefaultColumnConstraint,
    exp.AutoIncrementColumnConstraint,
    exp.GeneratedAsIdentityColumnConstraint,
)


@dataclass
class Described:
    """What a CREATE says beside the statement that DuckDB gets."""

    comment: str | None = None
    columns: list[tuple[str, str]] = field(default_factory=list)
    lengths: list[tuple[str, int]] = field(default_factory=list)
    retention: dict[str, int] = field(default_factory=dict)


def identifier(node: Any) -> str:
    """An identifier's text: upper case unless it is quoted."""
    return node.this if node.quoted else str(node.this).upper()


def take_properties(tree: exp.Create, described: Described) -> None:
    """Takes the properties of a CREATE: keeps TEMPORARY for DuckDB, notes the comment.

    Raises SnowflakeError for a property that is not understood.
    """
    kept: list[Expr] = []
    properties = tree.args.get("properties")
    for item in properties.expressions if properties else ():
        if isinstance(item, exp.SchemaCommentProperty):
            described.comment = item.this.name
        elif isinstance(item, exp.TemporaryProperty):
            kept.append(item)
        elif isinstance(
            item,
            exp.TransientProperty
            | exp.CopyGrantsProperty
            | exp.Cluster
            | exp.ClusterProperty
            | exp.SecureProperty,
        ):
            continue
        elif isinstance(item, exp.Property) and item.name.upper() in _RETENTION:
            _take_retention(item.name, item.args["value"], described)
        else:
            raise unsupported(f"CREATE {tree.kind} … {item.sql(dialect='snowflake')[:100]}")
    tree.set("properties", exp.Properties(expressions=kept) if kept else None)


def _take_retention(name: str, value: Expr, described: Described) -> None:
    if name.upper() in DEFAULTS:
        described.retention[name.upper()] = check_days(name.upper(), value.sql())


def take_columns(tree: exp.Create, described: Described) -> None:
    """Takes comments out of a CREATE's columns.

    Raises SnowflakeError for a constraint that is not understood.
    """
    schema = tree.this
    if not isinstance(schema, exp.Schema):
        return
    kept: list[Expr] = []
    for item in schema.expressions:
        if isinstance(item, exp.ColumnDef):
            take_constraints(item, described)
            kept.append(item.this.copy() if item.args.get("kind") is None else item)
        elif isinstance(item, exp.Identifier):
            kept.append(item)
        else:
            raise unsupported(f"the table constraint {item.sql(dialect='snowflake')[:100]}")
    schema.set("expressions", kept)


def innermost(node: Expr) -> Expr:
    """The identifier that a node wraps."""
    while not isinstance(node, exp.Identifier):
        node = node.this
    return node


def take_constraints(column: exp.ColumnDef, described: Described) -> None:
    """Takes the comment out of one column's definition.

    Raises SnowflakeError for a constraint that is not understood.
    """
    name = identifier(column.this)
    kept: list[Expr] = []
    for constraint in column.args.get("constraints") or []:
        kind = constraint.kind if isinstance(constraint, exp.ColumnConstraint) else constraint
        if isinstance(kind, exp.CommentColumnConstraint):
            described.columns.append((name, kind.this.name))
        elif isinstance(kind, _KEPT_CONSTRAINTS):
            kept.append(constraint)
        else:
            raise unsupported(f"the column constraint {constraint.sql(dialect='snowflake')[:100]}")
    column.set("constraints", kept)


def take_setting(action: exp.AlterSet, described: Described) -> None:
    """Notes the comment and the retention of an ALTER … SET.

    Raises SnowflakeError for what has an effect that is not understood.
    """
    groups = [item.expressions if isinstance(item, exp.Properties) else [item] for item in action.expressions]
    for item in (item for group in groups for item in group):
        if isinstance(item, exp.SchemaCommentProperty):
            described.comment = item.this.name
        elif isinstance(item, exp.Property | exp.EQ) and item.this.name.upper() in _RETENTION:
            value = item.args["value"] if isinstance(item, exp.Property) else item.expression
            _take_retention(item.this.name, value, described)
        else:
            raise unsupported(f"ALTER … SET {item.sql(dialect='snowflake')[:100]}")
    if not action.expressions:
        raise unsupported(f"ALTER … {action.sql(dialect='snowflake')[:100]}")


def changed_columns(action: Expr) -> list[tuple[str, str | None]]:
    """Columns that an action of ALTER TABLE renames, or drops (None)."""
    if isinstance(action, exp.RenameColumn):
        return [(identifier(innermost(action.this)), identifier(innermost(action.args["to"])))]
    if isinstance(action, exp.Drop):
        return [(identifier(innermost(column)), None) for column in action.args.get("tables") or ()]
    return []
