"""What CREATE, ALTER, DROP, DESCRIBE and SHOW have in common, whatever kind of object they name.

How such a statement begins (OR REPLACE, IF NOT EXISTS, IF EXISTS), which objects a SHOW is about, and what is answered
where an object is there already or is not there. A kind is written as in a statement: `PIPE`, `FILE FORMAT`.
"""

from dataclasses import dataclass

from movie_platform.local_cloud.snowflake.errors import already_exists, does_not_exist
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, matches_like, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


@dataclass(frozen=True, slots=True)
class Creation:
    """What a CREATE makes, and what it says of an object that has the name already."""

    kind: str
    replace: bool
    if_not_exists: bool
    alter: bool = False

    def of_existing(self, identifier: str) -> result_set.Result | None:
        """The answer where the name is taken; None where the object is to be replaced or altered.

        Raises SnowflakeError where the statement allows neither.
        """
        if self.alter:
            return None
        if self.if_not_exists:
            return stays(shown(identifier))
        if not self.replace:
            raise already_exists(identifier)
        return None


@dataclass(frozen=True, slots=True)
class Reference:
    """What an ALTER or DROP is about, and whether it may be missing."""

    kind: str
    if_exists: bool

    def alter_missing(self, name: str) -> result_set.Result:
        """The answer of an ALTER whose object is not there.

        Raises SnowflakeError without IF EXISTS.
        """
        if not self.if_exists:
            raise does_not_exist(self.kind.capitalize(), name)
        return result_set.done()

    def drop_missing(self, name: str, text: str) -> result_set.Result:
        """The answer of a DROP whose object is not there; `text` is the name as the answer has it.

        Raises SnowflakeError without IF EXISTS.
        """
        if not self.if_exists:
            raise does_not_exist(self.kind.capitalize(), name)
        return result_set.message(f"Drop statement executed successfully ({text} already dropped).")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects a SHOW is about: those of an account (no database), a database (no schema) or a schema."""

    database: str | None
    schema: str | None
    pattern: str | None

    def has(self, name: FullName) -> bool:
        """Whether an object of the scope's database, or of any database of the account, is shown."""
        return (self.schema is None or name.schema == self.schema) and (
            self.pattern is None or matches_like(self.pattern, name.name)
        )


def read_create(stream: TokenStream, *kinds: str) -> Creation:
    """Takes `CREATE [OR REPLACE] <one of the kinds> [IF NOT EXISTS]`, or `CREATE OR ALTER <one of the kinds>`."""
    stream.expect("CREATE")
    replace = stream.accept("OR", "REPLACE")
    alter = not replace and stream.accept("OR", "ALTER")
    kind = _read_kind(stream, kinds)
    return Creation(kind, replace, not alter and stream.accept("IF", "NOT", "EXISTS"), alter)


def read_alter(stream: TokenStream, *kinds: str) -> Reference:
    """Takes `ALTER <one of the kinds> [IF EXISTS]`."""
    stream.expect("ALTER")
    return Reference(_read_kind(stream, kinds), stream.accept("IF", "EXISTS"))


def read_drop(stream: TokenStream, *kinds: str) -> Reference:
    """Takes `DROP <one of the kinds> [IF EXISTS]`."""
    stream.expect("DROP")
    return Reference(_read_kind(stream, kinds), stream.accept("IF", "EXISTS"))


def read_describe(stream: TokenStream, *kinds: str) -> str:
    """Takes `DESCRIBE <one of the kinds>` or `DESC …`; gives the kind."""
    if not stream.accept("DESC"):
        stream.expect("DESCRIBE")
    return _read_kind(stream, kinds)


def described_name(session: Session, sql: str, kind: str) -> FullName:
    """The object that a whole `DESCRIBE <kind> name` is about."""
    stream = TokenStream(sql)
    read_describe(stream, kind)
    name = session.resolve(stream.name())
    stream.end()
    return name


def read_show(session: Session, sql: str, plural: str) -> Scope:
    """The scope of a whole `SHOW <plural> [LIKE '…'] [IN ACCOUNT | [DATABASE] name | SCHEMA name]`.

    Raises SnowflakeError where the database does not exist.
    """
    stream = TokenStream(sql)
    stream.expect("SHOW", plural)
    pattern = stream.string() if stream.accept("LIKE") else None
    database, schema = session.database, session.schema
    if stream.accept("IN"):
        if stream.accept("ACCOUNT"):
            database = schema = None
        elif stream.accept("DATABASE"):
            database, schema = (session.database if stream.at_end else stream.identifier()), None
        else:
            stream.accept("SCHEMA")
            name = stream.name()
            database, schema = name.schema or session.database, name.name
    stream.end()
    if database is not None:
        session.account.engine.require_database(database)
    return Scope(database, schema, pattern)


def stays(text: str) -> result_set.Result:
    """The answer of a CREATE … IF NOT EXISTS whose object is there; `text` is the name as the answer has it."""
    return result_set.message(f"{text} already exists, statement succeeded.")


def created(kind: str, text: str) -> result_set.Result:
    """The answer of a CREATE; `text` is the name as the answer has it."""
    return result_set.message(f"{kind.capitalize()} {text} successfully created.")


def dropped(text: str) -> result_set.Result:
    """The answer of a DROP; `text` is the name as the answer has it."""
    return result_set.message(f"{text} successfully dropped.")


def _read_kind(stream: TokenStream, kinds: tuple[str, ...]) -> str:
    for kind in kinds:
        if stream.accept(*kind.split()):
            return kind
    raise stream.unexpected()
