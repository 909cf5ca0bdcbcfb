"""Conversions between text, dates and times, rewritten to the macros that follow the session's parameters.

Two passes: functions before fakesnow sees the tree (`replace_functions`), casts after it (`replace_casts`,
`ask_for_dates`), since fakesnow has rules for the casts of VARIANT. What Snowflake converts by itself, a text that
is compared with a date or put into a column of dates, is converted by the same macros.

Source: Snowflake documentation, "Data type conversion" (implicit casting), "Date and time input and output formats",
"Parameters" (TIMESTAMP_TYPE_MAPPING).
"""

import re
from collections.abc import Mapping, Sequence

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.state import value_macros
from movie_platform.local_cloud.snowflake.state.binding_types import Questions
from movie_platform.local_cloud.snowflake.text import date_formats

_TYPE = exp.DataType.Type
_TEXTS = {_TYPE.VARCHAR, _TYPE.TEXT, _TYPE.NVARCHAR, _TYPE.CHAR, _TYPE.NCHAR}
_NTZ_TYPES = {_TYPE.TIMESTAMPNTZ, _TYPE.DATETIME}
_LTZ_TYPES = {_TYPE.TIMESTAMPLTZ, _TYPE.TIMESTAMPTZ}

# Functions that the parser leaves as they are written: (what they make, whether a failure is null).
FUNCTIONS: Mapping[str, tuple[str, bool]] = {
    f"{prefix}{name}": (made, bool(prefix))
    for name, made in (
        ("TO_DATE", "DATE"), ("TO_TIME", "TIME"), ("TO_TIMESTAMP", "TIMESTAMP"), ("TO_TIMESTAMP_NTZ", "TIMESTAMP_NTZ"),
        ("TO_TIMESTAMP_LTZ", "TIMESTAMP_LTZ"), ("TO_TIMESTAMP_TZ", "TIMESTAMP_TZ"),
    )
    for prefix in ("", "TRY_")
} | {"DATE": ("DATE", False), "TIME": ("TIME", False)}  # fmt: skip
TEXT_FUNCTIONS = frozenset({"TO_CHAR", "TO_VARCHAR"})
CONVERT_TIMEZONE = "CONVERT_TIMEZONE"
_TODAY = "today"
WEEK_FUNCTIONS = {
    "DAYOFWEEK": value_macros.DAY_OF_WEEK,
    "WEEK": value_macros.WEEK,
    "WEEKOFYEAR": value_macros.WEEK,
}

_PLAIN = {
    ("DATE", False): value_macros.DATE, ("DATE", True): value_macros.TRY_DATE,
    ("TIME", False): value_macros.TIME, ("TIME", True): value_macros.TRY_TIME,
    ("NTZ", False): value_macros.NTZ, ("NTZ", True): value_macros.TRY_NTZ,
    ("LTZ", False): value_macros.LTZ, ("LTZ", True): value_macros.TRY_LTZ,
}  # fmt: skip


def _call(macro: str, *arguments: Expr) -> exp.Anonymous:
    return exp.Anonymous(this=macro, expressions=list(arguments))


def _timestamp(kind: str, mapping: str) -> str:
    # NTZ or LTZ for the name of a timestamp type; a TIMESTAMP_TZ is kept as the moment that it is.
    written = mapping.upper() if kind == "TIMESTAMP" else kind
    return "NTZ" if written == "TIMESTAMP_NTZ" else "LTZ"


def replace_functions(tree: Expr, mapping: str) -> Expr:
    """The tree with TO_DATE, TO_CHAR and their like replaced. `mapping` is TIMESTAMP_TYPE_MAPPING.

    Raises SnowflakeError for a format that is no constant.
    """
    return tree.transform(lambda node: _replaced_function(node, mapping), copy=False)


def _replaced_function(node: Expr, mapping: str) -> Expr:
    if isinstance(node, exp.Cast) and node.to.this == _TYPE.TIMESTAMP and mapping.upper() != "TIMESTAMP_NTZ":
        node.set("to", exp.DataType(this=_TYPE.TIMESTAMPTZ, nested=False))
        return node
    if isinstance(node, exp.CurrentDate):
        # DuckDB takes CURRENT_DATE for a column of that name, where the select list has one.
        return _call(_TODAY)
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc) and _unit(node) == "WEEK":
        return _call(value_macros.WEEK_BEGIN, node.this)
    if not isinstance(node, exp.Anonymous):
        return node
    name = node.name.upper()
    arguments = node.expressions
    if name in TEXT_FUNCTIONS:
        if len(arguments) == 1:
            return exp.cast(arguments[0], exp.DataType(this=_TYPE.TEXT))
        text = _constant(name, arguments[1])
        return _call(
            value_macros.FORMAT, _typed(arguments[0]), exp.Literal.string(date_formats.strftime_format(text))
        )
    if name == CONVERT_TIMEZONE:
        return _call(value_macros.CONVERT, *arguments)
    if name in WEEK_FUNCTIONS:
        return _call(WEEK_FUNCTIONS[name], *arguments)
    if name not in FUNCTIONS or not arguments:
        return node
    made, may_fail = FUNCTIONS[name]
    kind = _timestamp(made, mapping) if made.startswith("TIMESTAMP") else made
    if len(arguments) == 1:
        return _call(_PLAIN[kind, may_fail], _typed(arguments[0]))
    if isinstance(arguments[1], exp.Literal) and not arguments[1].is_string:
        return _call(_PLAIN[kind, may_fail], exp.cast(arguments[0], "BIGINT"), arguments[1])
    return _with_format(kind, may_fail, _typed(arguments[0]), _constant(name, arguments[1]))


def _unit(node: Expr) -> str:
    return str(node.args["unit"].name).upper()


def _constant(name: str, node: Expr) -> str:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise unsupported(f"{name} with a format that is no constant")


def _typed(node: Expr) -> Expr:
    # A literal null has no type by which DuckDB could choose an overload.
    return exp.cast(node, "VARCHAR") if isinstance(node, exp.Null) else node


def _strings(texts: Sequence[str]) -> exp.Array:
    return exp.Array(expressions=[exp.Literal.string(text) for text in texts])


def _with_format(kind: str, may_fail: bool, value: Expr, text: str) -> Expr:
    written = exp.Literal.string(text)
    if kind in ("DATE", "TIME"):
        formats = _strings(
            date_formats.date_formats(text) if kind == "DATE" else date_formats.time_formats(text)
        )
        if may_fail:
            return exp.cast(_call("try_strptime", value, formats), kind)
        return _call(
            value_macros.DATE_AS if kind == "DATE" else value_macros.TIME_AS, value, formats, written
        )
    naive = _strings(date_formats.timestamp_formats(text))
    zoned = _strings(date_formats.zoned_timestamp_formats(text))
    has_zone = exp.Boolean(this=date_formats.has_zone(text))
    if may_fail:
        if kind == "NTZ":
            return _call(value_macros.PARSED_NTZ, value, naive, has_zone)
        return _call(value_macros.PARSED_LTZ, value, naive, zoned)
    macro = value_macros.NTZ_AS if kind == "NTZ" else value_macros.LTZ_AS
    return _call(macro, value, naive, zoned, has_zone, written)


_TEMPORAL_RESULTS = {
    value_macros.DATE, value_macros.NTZ, value_macros.LTZ, value_macros.TIME, value_macros.TRY_DATE,
    value_macros.TRY_NTZ, value_macros.TRY_LTZ, value_macros.TRY_TIME, value_macros.DATE_AS, value_macros.NTZ_AS,
    value_macros.LTZ_AS, value_macros.TIME_AS,
}  # fmt: skip
_OVERLOADED = _TEMPORAL_RESULTS | {
    value_macros.TEXT, value_macros.FORMAT, value_macros.CONVERT, value_macros.DAY_OF_WEEK, value_macros.WEEK,
    value_macros.WEEK_BEGIN,
}  # fmt: skip


def replace_casts(tree: Expr) -> Expr:
    """The tree, as fakesnow made it, with casts between text, dates and times replaced."""
    for node in list(tree.find_all(exp.Cast, exp.TsOrDsToDate, exp.Anonymous, exp.DPipe, exp.Concat)):
        if isinstance(node, exp.Cast):
            _replace_cast(node)
        elif isinstance(node, exp.TsOrDsToDate):
            node.replace(_call(value_macros.DATE, _typed(node.this)))
        elif isinstance(node, exp.Anonymous):
            if node.name.upper() == "_FS_TO_TIMESTAMP":
                node.replace(_call(value_macros.NTZ, _typed(node.expressions[0])))
        else:
            parts = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
            for part in parts:
                if isinstance(part, exp.Column):
                    holder = exp.Null()
                    part.replace(holder)
                    holder.replace(_call(value_macros.TEXT, part))
    return tree


def _replace_cast(node: exp.Cast) -> None:
    target = node.to.this
    value = node.this
    if isinstance(value, exp.Null):
        return
    may_fail = isinstance(node, exp.TryCast)
    if target in _TEXTS:
        if isinstance(value, exp.Literal | exp.JSONExtractScalar | exp.Placeholder) or may_fail:
            return
        call = _call(value_macros.TEXT, value)
        if node.to.expressions:
            node.set("this", call)
            return
    elif target == _TYPE.DATE:
        call = _call(_PLAIN["DATE", may_fail], value)
    elif target == _TYPE.TIME:
        call = _call(_PLAIN["TIME", may_fail], value)
    elif target in _LTZ_TYPES:
        call = _call(_PLAIN["LTZ", may_fail], value)
    elif target in _NTZ_TYPES or target == _TYPE.TIMESTAMP:
        call = _call(_PLAIN["NTZ", may_fail], value)
    else:
        return
    node.replace(call)


# Text that DuckDB would take for a date or a time by itself, whatever the session's formats are.
_LIKE_A_DATE = re.compile(r"\s*[+-]?\d+[-/.:]\d+")
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_BY_DUCK_TYPE = {
    "DATE": value_macros.DATE,
    "TIME": value_macros.TIME,
    "TIMESTAMP": value_macros.NTZ,
    "TIMESTAMP WITH TIME ZONE": value_macros.LTZ,
}


def _is_dateish(node: Expr | None) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and bool(_LIKE_A_DATE.match(str(node.this)))


def ask_for_dates(tree: Expr, questions: Questions) -> None:
    """Asks for the type of what a text like a date is compared with: the text follows the session's formats then."""
    for node in list(tree.find_all(*_COMPARISONS, exp.Between, exp.In)):
        if isinstance(node, exp.Between):
            texts, other = [node.args["low"], node.args["high"]], node.this
        elif isinstance(node, exp.In):
            texts, other = list(node.expressions), node.this
        elif _is_dateish(node.this):
            texts, other = [node.this], node.expression
        else:
            texts, other = [node.expression], node.this
        if isinstance(other, exp.Literal):
            continue
        for text in texts:
            if _is_dateish(text):
                _ask(questions, text, other)


def _ask(questions: Questions, text: Expr, other: Expr) -> None:
    def answered(call: Expr, types: Sequence[str]) -> None:
        macro = _BY_DUCK_TYPE.get(types[1])
        literal = call.expressions[0]
        call.replace(literal if macro is None else _call(macro, literal))

    questions.ask(text, [text, other.copy()], "compared", answered, _as_it_was)


AMBIGUOUS = "multiple overloads that match"


def ask_for_overloads(tree: Expr, questions: Questions) -> None:
    """Asks for the type of each macro's argument: DuckDB itself finds none for a null and for an aggregate."""
    for call in list(tree.find_all(exp.Anonymous)):
        if _is_overloaded(call):
            _ask_for_overload(questions, call)


def _ask_for_overload(questions: Questions, call: exp.Anonymous) -> None:
    macro = call.name
    position = len(call.expressions) - 1 if macro == value_macros.CONVERT else 0
    value = call.expressions[position]
    before, after = call.expressions[:position], call.expressions[position + 1 :]

    def with_value(name: str, found: Expr) -> Expr:
        return _call(name, *(part.copy() for part in before), found, *(part.copy() for part in after))

    def answered(question: Expr, types: Sequence[str]) -> None:
        found = question.expressions[0]
        if types == ['"NULL"']:
            found = exp.Cast(this=found, to=exp.DataType(this=_TYPE.VARCHAR))
        question.replace(with_value(value_macros.overload(macro, types[0]), found))

    def otherwise(question: Expr) -> None:
        question.replace(with_value(macro, question.expressions[0]))

    questions.ask(call, [value], "overload", answered, otherwise)


def _is_overloaded(call: exp.Anonymous) -> bool:
    return call.name in _OVERLOADED


def _as_it_was(call: Expr) -> None:
    call.replace(call.expressions[0])


def has_macros(tree: Expr) -> bool:
    """Whether a tree calls a macro that DuckDB chooses by its argument's type."""
    return any(_is_overloaded(call) for call in tree.find_all(exp.Anonymous))


def convert_stored(tree: Expr, types: Mapping[str, str]) -> None:
    """Has what a statement stores follow the session's formats. `types` are DuckDB's types of the table's columns."""
    if isinstance(tree, exp.Insert):
        _convert_inserted(tree, tree.expression, types)
    elif isinstance(tree, exp.Update):
        _convert_assignments(tree.expressions, types)
    elif isinstance(tree, exp.Merge):
        for when in tree.args["whens"].expressions:
            then = when.args["then"]
            if isinstance(then, exp.Update):
                _convert_assignments(then.expressions, types)
            elif isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple):
                names = then.this.expressions if isinstance(then.this, exp.Tuple) else None
                chosen = list(types.values()) if names is None else [types.get(item.name) for item in names]
                convert_for_columns(then.expression.expressions, chosen)


def _convert_inserted(tree: exp.Insert, source: Expr, types: Mapping[str, str]) -> None:
    chosen: list[str | None] = list(types.values())
    if isinstance(tree.this, exp.Schema):
        chosen = [types.get(item.name) for item in tree.this.expressions]
    if not set(chosen) & _BY_DUCK_TYPE.keys():
        return
    sources = [source]
    while sources:
        found = sources.pop()
        if isinstance(found, exp.SetOperation):
            sources += [found.this, found.expression]
        elif isinstance(found, exp.Subquery):
            sources.append(found.this)
        elif isinstance(found, exp.Values):
            for row in found.expressions:
                convert_for_columns(row.expressions if isinstance(row, exp.Tuple) else [row], chosen)
        elif isinstance(found, exp.Select) and not any(item.is_star for item in found.expressions):
            convert_for_columns(found.expressions, chosen)


def _convert_assignments(assignments: Sequence[Expr], types: Mapping[str, str]) -> None:
    for assignment in assignments:
        if isinstance(assignment, exp.EQ):
            convert_for_columns([assignment.expression], [types.get(assignment.this.name)])


def convert_for_columns(values: Sequence[Expr], types: Sequence[str | None]) -> None:
    """Has values that are put into columns of dates and times follow the session's formats, where they may be text."""
    for value, kind in zip(values, types, strict=False):
        macro = _BY_DUCK_TYPE.get(kind or "")
        inner = value.this if isinstance(value, exp.Alias) else value
        if macro is None or not _may_be_text(inner):
            continue
        alias = (
            value.alias
            if isinstance(value, exp.Alias)
            else value.name
            if isinstance(value, exp.Column)
            else None
        )
        holder = exp.Null()
        value.replace(holder)
        call = _call(macro, inner)
        in_list = isinstance(holder.parent, exp.Select)
        holder.replace(exp.alias_(call, alias, quoted=True) if alias and in_list else call)


def _may_be_text(node: Expr) -> bool:
    # The values of a bind variable that is bound to many rows are not known here.
    if isinstance(
        node,
        exp.Null | exp.Placeholder | exp.Star | exp.Var | exp.Boolean | exp.CurrentTimestamp,
    ):
        return False
    if isinstance(node, exp.Column) and (isinstance(node.this, exp.Star) or node.name.upper() == "DEFAULT"):
        return False
    return not (isinstance(node, exp.Anonymous) and node.name in _TEMPORAL_RESULTS | {_TODAY})
