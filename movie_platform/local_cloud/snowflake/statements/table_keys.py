"""Primary, unique and foreign keys in statements: what a CREATE says, and ALTER TABLE … ADD, DROP, RENAME, ALTER.

They are recorded and not enforced. Sources: Snowflake documentation, "CREATE | ALTER TABLE … CONSTRAINT", "ALTER TABLE"
(constraintAction), "Constraints". The numbers of the errors are ours, but for those that say what does not exist.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    already_exists,
    compilation_error,
    does_not_exist,
)
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state import key_records
from movie_platform.local_cloud.snowflake.state.key_records import Key
from movie_platform.local_cloud.snowflake.state.stream_images import columns_of_table
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.table_definition import (
    FOREIGN_KEY,
    PRIMARY_KEY,
    UNIQUE,
    Constraint,
    read_columns,
    read_properties,
    read_table_constraint,
)
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


def checked_keys(
    session: Session,
    table: FullName,
    columns: Collection[str],
    wanted: Iterable[Constraint],
    present: Sequence[Key] = (),
) -> list[Key]:
    """The keys that a statement adds to those that a table has; `columns` are the table's.

    Raises SnowflakeError for a column or table that is not there, a second primary key, a key that is there already,
    and a foreign key to columns that are no key.
    """
    keys: list[Key] = []
    for constraint in wanted:
        key = _resolved(session, table, constraint)
        for column in key.columns:
            if column not in columns:
                raise compilation_error(904, "42000", f"invalid identifier '{column}'")
        others = [*present, *keys]
        if key.kind == PRIMARY_KEY and any(other.kind == PRIMARY_KEY for other in others):
            raise compilation_error(2200, "42710", f"primary key already exists for table '{table.name}'")
        if any(key.same_as(other) for other in others):
            raise compilation_error(
                2201, "42710", f"constraint with the same signature already exists on table '{table.name}'"
            )
        if any(key.name == other.name for other in others):
            raise already_exists(key.name)
        if key.referenced is not None:
            key = _with_reference(session, key, others)
        keys.append(key)
    return keys


def _resolved(session: Session, table: FullName, constraint: Constraint) -> Key:
    return Key(
        table,
        constraint.name or key_records.new_key_name(),
        constraint.kind,
        constraint.columns,
        None if constraint.table is None else session.resolve(constraint.table),
        constraint.table_columns,
        constraint.rely,
        constraint.comment,
        constraint.update_rule,
        constraint.delete_rule,
    )


def _with_reference(session: Session, key: Key, own: Sequence[Key]) -> Key:
    # A foreign key without columns references the primary key; one with columns, a primary or unique key of these.
    target = key.referenced
    if target is None:
        return key
    if target == key.table:
        candidates = list(own)
    else:
        session.account.engine.require_database(target.database)
        if not session.account.engine.has_table(target):
            raise does_not_exist("Table", str(target))
        candidates = key_records.keys_of(session.account.engine, target)
    if not key.referenced_columns:
        primary = next((other for other in candidates if other.kind == PRIMARY_KEY), None)
        if primary is None:
            raise _no_key(target)
        key = replace(key, referenced_columns=primary.columns)
    if len(key.columns) != len(key.referenced_columns) or not any(
        set(other.columns) == set(key.referenced_columns) for other in candidates if other.kind != FOREIGN_KEY
    ):
        raise _no_key(target)
    return key


def _no_key(table: FullName) -> SnowflakeError:
    return compilation_error(
        2202, "42601", f"Foreign key references columns of table '{table}' that are no primary or unique key."
    )


def at_key_action(stream: TokenStream) -> bool:
    """Whether an action of ALTER TABLE, which comes next, is about a key."""
    return any(
        stream.at(*verb, *word)
        for verb in (("ADD",), ("DROP",), ("RENAME",), ("ALTER",), ("MODIFY",))
        for word in (("CONSTRAINT",), ("PRIMARY", "KEY"), ("UNIQUE",), ("FOREIGN", "KEY"))
    )


def alter_keys(session: Session, table: FullName, stream: TokenStream) -> None:
    """Takes an action that is about a key, to the end of the statement, and does it."""
    engine = session.account.engine
    present = key_records.keys_of(engine, table)
    if stream.accept("ADD"):
        constraint = read_table_constraint(stream)
        stream.end()
        columns = columns_of_table(session.duck, table)
        added = checked_keys(session, table, columns, [constraint], present)
        session.outside_transaction()
        key_records.add(engine, added)
    elif stream.accept("RENAME"):
        stream.expect("CONSTRAINT")
        key = _named(table, present, stream.identifier())
        stream.expect("TO")
        new = stream.identifier()
        stream.end()
        if any(other.name == new for other in present):
            raise already_exists(new)
        session.outside_transaction()
        key_records.change(engine, key, replace(key, name=new))
    elif stream.accept("DROP"):
        key = _chosen(table, present, stream)
        restrict = not stream.accept("CASCADE") and stream.accept("RESTRICT")
        stream.end()
        if restrict and key_records.referencing(engine, key):
            raise compilation_error(
                2203, "42601", f"Cannot drop the constraint '{key.name}': foreign keys reference it."
            )
        session.outside_transaction()
        key_records.remove(engine, key)
    else:
        stream.word()
        key = _chosen(table, present, stream)
        changed = read_properties(
            stream, Constraint(key.kind, key.columns, rely=key.rely, update_rule=key.update_rule)
        )
        stream.end()
        session.outside_transaction()
        key_records.change(engine, key, replace(key, rely=changed.rely))


def _named(table: FullName, present: Sequence[Key], name: str) -> Key:
    key = next((key for key in present if key.name == name), None)
    if key is None:
        raise does_not_exist("Constraint", f"{table}.{name}")
    return key


def _chosen(table: FullName, present: Sequence[Key], stream: TokenStream) -> Key:
    if stream.accept("CONSTRAINT"):
        return _named(table, present, stream.identifier())
    if stream.accept("PRIMARY", "KEY"):
        kind, columns = PRIMARY_KEY, None
    elif stream.accept("UNIQUE"):
        kind, columns = UNIQUE, read_columns(stream)
    else:
        stream.expect("FOREIGN", "KEY")
        kind, columns = FOREIGN_KEY, read_columns(stream)
    key = next((key for key in present if key.kind == kind and columns in (None, key.columns)), None)
    if key is None:
        raise does_not_exist("Constraint", f"{kind} of {table}")
    return key


def follow_keys(
    session: Session, table: FullName, columns: Collection[str], wanted: Sequence[Constraint]
) -> None:
    """Makes a table's keys what CREATE OR ALTER says; a key that stays keeps its name unless it is given another."""
    engine = session.account.engine
    present = key_records.keys_of(engine, table)
    target = checked_keys(session, table, columns, wanted)
    for key in present:
        if not any(key.same_as(new) for new in target):
            key_records.remove(engine, key)
    for new, constraint in zip(target, wanted, strict=True):
        old = next((key for key in present if key.same_as(new)), None)
        if old is None:
            key_records.add(engine, [new])
        else:
            named = replace(new, name=constraint.name or old.name, created_on=old.created_on)
            if named != old:
                key_records.change(engine, old, named)
