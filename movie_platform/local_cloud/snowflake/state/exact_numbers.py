"""Quotients, averages and products of NUMBERs are exact decimals with Snowflake's scales; FLOATs stay as they are.

A quotient's scale is max(s1, min(s1 + 6, 12)), a product's min(s1 + s2, max(s1, s2, 12)), both rounded half away from
zero; AVG is SUM divided by COUNT. Precision is not told: it is 38, Snowflake's greatest.

Source: Snowflake documentation, "Arithmetic operators" ("Scale and precision in arithmetic operations").
"""

import re
from collections.abc import Sequence

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.state.binding_types import Questions
from movie_platform.local_cloud.snowflake.state.value_macros import DIVIDE

_INTEGER = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?(?:_LITERAL)?")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_DIGITS = {
    "TINYINT": 3,
    "SMALLINT": 5,
    "INTEGER": 10,
    "UTINYINT": 3,
    "USMALLINT": 5,
    "UINTEGER": 10,
    "BIGINT": 19,
}
_GREATEST = 38
_NATIVE_PRODUCT_DIGITS = 18
# Up to this scale a decimal is turned into a whole number by one product; beyond it could leave 38 digits.
_SIMPLE_SCALE = 8


def digits(kind: str) -> tuple[int, int] | None:
    """Precision and scale of a type as DuckDB names it; None for what is no NUMBER."""
    if match := _DECIMAL.fullmatch(kind):
        return int(match[1]), int(match[2])
    return (_DIGITS.get(kind, _GREATEST), 0) if _INTEGER.fullmatch(kind) else None


def quotient_scale(scale: int) -> int:
    """The scale of a quotient whose dividend has this scale."""
    return max(scale, min(scale + 6, 12))


def product_scale(first: int, second: int) -> int:
    """The scale of a product."""
    return min(first + second, max(first, second, 12))


def _decimal(scale: int) -> exp.DataType:
    return exp.DataType.build(f"DECIMAL({_GREATEST}, {scale})", dialect="duckdb")


def _cast(value: Expr, kind: exp.DataType) -> exp.Cast:
    # sqlglot's own `cast` takes one DECIMAL for another.
    return exp.Cast(this=value, to=kind)


def _power(exponent: int) -> Expr:
    return _cast(exp.Literal.number("1" + "0" * exponent), exp.DataType.build("HUGEINT", dialect="duckdb"))


def _whole(value: Expr, scale: int) -> Expr:
    # The decimal without its point, a HUGEINT.
    huge = exp.DataType.build("HUGEINT", dialect="duckdb")
    if scale == 0:
        return _cast(value, huge)
    power = _cast(exp.Literal.number("1" + "0" * scale), exp.DataType.build(f"DECIMAL({scale + 1}, 0)"))
    if scale <= _SIMPLE_SCALE:
        return _cast(exp.Mul(this=_cast(value, _decimal(scale)), expression=power), huge)
    integer = _cast(exp.Anonymous(this="trunc", expressions=[value.copy()]), huge)
    fraction = _cast(
        exp.paren(exp.Sub(this=value, expression=exp.Anonymous(this="trunc", expressions=[value.copy()]))),
        exp.DataType.build(f"DECIMAL({scale + 1}, {scale})", dialect="duckdb"),
    )
    return exp.paren(
        exp.Add(
            this=exp.Mul(this=integer, expression=_power(scale)),
            expression=_cast(exp.Mul(this=fraction, expression=power.copy()), huge),
        )
    )


def quotient(dividend: Expr, dividend_scale: int, divisor: Expr, divisor_scale: int) -> Expr:
    """The quotient of two NUMBERs as a NUMBER(38, quotient_scale)."""
    scale = quotient_scale(dividend_scale)
    above = _whole(exp.paren(dividend), dividend_scale)
    shift = scale - dividend_scale + divisor_scale
    if shift:
        above = exp.Mul(this=above, expression=_power(shift))
    rounded = exp.Anonymous(this=DIVIDE, expressions=[above, _whole(exp.paren(divisor), divisor_scale)])
    whole = _cast(rounded, _decimal(0))
    if scale == 0:
        return whole
    unit = _cast(
        exp.Literal.number("0." + "0" * (scale - 1) + "1"), exp.DataType.build(f"DECIMAL({scale}, {scale})")
    )
    return _cast(exp.paren(exp.Mul(this=whole, expression=unit)), _decimal(scale))


def _divided(call: Expr, types: Sequence[str]) -> None:
    first, second = (digits(kind) for kind in types)
    dividend, divisor = call.expressions[:2]
    if first is None or second is None:
        _native_division(call)
    else:
        call.replace(exp.paren(quotient(dividend, first[1], divisor, second[1])))


def _native_division(call: Expr) -> None:
    dividend, divisor = call.expressions[:2]
    call.replace(exp.Div(this=exp.paren(dividend), expression=exp.paren(divisor), typed=False, safe=False))


def _multiplied(call: Expr, types: Sequence[str]) -> None:
    first, second = (digits(kind) for kind in types)
    if first is None or second is None or (first[1] == 0 and second[1] == 0):
        _native_product(call)
        return
    left, right = call.expressions[:2]
    scale = product_scale(first[1], second[1])
    if first[0] + second[0] > _NATIVE_PRODUCT_DIGITS:
        left = _cast(left, exp.DataType.build(f"DECIMAL({_GREATEST}, {first[1]})", dialect="duckdb"))
    product: Expr = exp.paren(exp.Mul(this=exp.paren(left), expression=exp.paren(right)))
    if scale != first[1] + second[1]:
        product = _cast(product, _decimal(scale))
    call.replace(product)


def _native_product(call: Expr) -> None:
    left, right = call.expressions[:2]
    call.replace(exp.paren(exp.Mul(this=exp.paren(left), expression=exp.paren(right))))


def _averaged(call: Expr, types: Sequence[str]) -> None:
    [kind] = [digits(kind) for kind in types]
    average = call.find_ancestor(exp.Avg)
    assert average is not None
    call.replace(call.expressions[0])
    if kind is None:
        return
    whole = average.parent if isinstance(average.parent, exp.Window) else average
    parts: list[Expr] = []
    for aggregate in (exp.Sum, exp.Count):
        part = whole.copy()
        inner = part.find(exp.Avg)
        assert inner is not None
        changed = aggregate(this=inner.this)
        if inner is part:
            part = changed
        else:
            inner.replace(changed)
        parts.append(part)
    # Of no rows the average is null.
    count = exp.Nullif(this=parts[1], expression=exp.Literal.number(0))
    whole.replace(exp.paren(quotient(parts[0], kind[1], count, 0)))


def _native_average(call: Expr) -> None:
    call.replace(call.expressions[0])


def ask_for_numbers(tree: Expr, questions: Questions) -> None:
    """Puts the questions of this module's rules into a tree that is ready for DuckDB."""
    for node in list(tree.find_all(exp.Div, exp.Mul, exp.Avg)):
        if isinstance(node, exp.Avg):
            value = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
            questions.ask(value, [value], "average", _averaged, _native_average)
        elif isinstance(node, exp.Div):
            questions.ask(node, [node.this, node.expression], "quotient", _divided, _native_division)
        elif not (_is_whole(node.this) or _is_whole(node.expression)):
            questions.ask(node, [node.this, node.expression], "product", _multiplied, _native_product)


def _is_whole(node: Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit()
