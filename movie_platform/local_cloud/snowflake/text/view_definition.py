"""What CREATE VIEW says, read from the statement's own text: columns, comments, properties, the query as written.

Source: Snowflake documentation, "CREATE VIEW" (docs.snowflake.com/en/sql-reference/sql/create-view). Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from movie_platform.local_cloud.snowflake.text.names import Name
from movie_platform.local_cloud.snowflake.text.tokens import Kind, TokenStream, tokenize


@dataclass(frozen=True, slots=True)
class ViewDefinition:
    """What a CREATE VIEW defines. `columns` are names and comments, where it lists them; `query` is what follows AS,
    and `plain_sql` the statement for sqlglot.

    `change_tracking` is None where the statement does not say.
    """

    name: Name
    plain_sql: str
    query: str
    columns: Mapping[str, str | None] = field(default_factory=dict)
    comment: str | None = None
    secure: bool = False
    temporary: bool = False
    replace: bool = False
    change_tracking: bool | None = None

    def same_query(self, other: "ViewDefinition") -> bool:
        """Whether two definitions give the same columns by the same query, but for spaces, comments and case."""
        return list(self.columns) == list(other.columns) and _normal(self.query) == _normal(other.query)


def _normal(sql: str) -> list[tuple[Kind, str]]:
    return [
        (token.kind, token.text.upper() if token.kind is Kind.WORD else token.text) for token in tokenize(sql)
    ]


def read_create_view(sql: str) -> ViewDefinition:
    """What a whole CREATE [OR REPLACE | OR ALTER] VIEW says.

    Raises SnowflakeError for what is not in the grammar.
    """
    stream = TokenStream(sql)
    stream.expect("CREATE")
    replaces = stream.accept("OR", "REPLACE")
    alters = not replaces and stream.accept("OR", "ALTER")
    secure = stream.accept("SECURE")
    start = stream.token.start
    if not stream.accept("LOCAL"):
        stream.accept("GLOBAL")
    temporary = stream.accept("TEMPORARY") or stream.accept("TEMP") or stream.accept("VOLATILE")
    plain_sql = f"{sql[:start]}TEMPORARY{sql[stream.previous_end :]}" if temporary else sql
    stream.accept("RECURSIVE")
    stream.expect("VIEW")
    if alters and stream.at("IF", "NOT"):
        raise stream.unexpected()
    stream.accept("IF", "NOT", "EXISTS")
    name = stream.name()
    columns = _read_columns(stream)
    comment: str | None = None
    tracking: bool | None = None
    while not stream.accept("AS"):
        if stream.accept("COMMENT"):
            stream.expect_symbol("=")
            comment = stream.string()
        elif stream.accept("CHANGE_TRACKING"):
            stream.expect_symbol("=")
            tracking = stream.boolean()
        else:
            stream.expect("COPY", "GRANTS")
    return ViewDefinition(
        name, plain_sql, stream.rest(), columns, comment, secure, temporary, replaces, tracking
    )


def _read_columns(stream: TokenStream) -> dict[str, str | None]:
    columns: dict[str, str | None] = {}
    if stream.accept_symbol("("):
        while True:
            column = stream.identifier()
            columns[column] = stream.string() if stream.accept("COMMENT") else None
            if not stream.accept_symbol(","):
                break
        stream.expect_symbol(")")
    return columns
