"""Lists in one value: separated by commas or pipes, or a JSON array, as column expressions."""

from pyspark.sql import Column
from pyspark.sql import functions as fn

from glue_scripts.text import bind, clean_line

# A comma inside parentheses, or before what follows a name ('Sammy Davis, Jr.', 'Acme, Inc.'), separates nothing.
_SUFFIX = r"(?:Jr|Sr|II|III|IV|Ph\.?D|M\.?D|Esq|Inc|Ltd|LLC|L\.L\.C|LLP|Corp|GmbH|S\.A|S\.L|B\.V)\.?"
_COMPLICATED = rf",(?: ?(?:{_SUFFIX}|N/A)? ?(?:,|$))| ,|^(?:[\[,]|N/A ?,)"
_SEPARATING_COMMA = rf" ?,(?! ?{_SUFFIX} ?(?:,|$))(?![^()]{{0,200}}\)) ?"
_SEPARATOR = "\u0001"
# What a writer did, as '(screenplay)', but not the Roman numeral that tells two people of one name apart.
_CREDIT = r"(?: ?\((?![IVXLC]+\))[^()]*\)){1,10}$"


def items(raw: Column, cleaned: Column) -> Column:
    """The list's items, cleansed, each once, in the source's order; null for a null value.

    `cleaned` is `clean_line(raw)`. A JSON array is read before its items are cleansed, because an entity may stand for
    a quotation mark. Its items may be objects, of which `name` is taken.
    """
    piped = _split(
        fn.replace(fn.replace(cleaned, fn.lit(" |"), fn.lit("|")), fn.lit("| "), fn.lit("|")), "\\|"
    )
    by_comma = _split(fn.regexp_replace(cleaned, _SEPARATING_COMMA, _SEPARATOR), _SEPARATOR)
    separated = fn.when(cleaned.contains("|"), piped).otherwise(by_comma)
    is_json = cleaned.startswith("[") & cleaned.endswith("]")
    listed = fn.when(is_json, fn.coalesce(_json_items(raw), separated)).otherwise(separated)
    # What most lists are free of, so that a plain split will do.
    complicated = cleaned.rlike(_COMPLICATED) | cleaned.contains("|") | cleaned.contains("(")
    plain = fn.array_distinct(fn.split(fn.replace(cleaned, fn.lit(", "), fn.lit(",")), ","))
    return fn.when(~complicated, plain).when(cleaned.isNotNull(), fn.array_distinct(listed))


def without_credits(names: Column, cleaned: Column) -> Column:
    """The names without the credits in parentheses that may follow them, each once; `cleaned` is the whole list."""
    bare = fn.array_remove(fn.transform(names, lambda name: fn.regexp_replace(name, _CREDIT, "")), "")
    return fn.when(cleaned.contains("("), fn.array_distinct(bare)).otherwise(names)


def joined(names: Column, cleaned: Column) -> Column:
    """The items in one value, joined by '|'; null for no items. A '|' inside an item becomes '/'."""
    harmless = fn.transform(names, lambda name: fn.translate(name, "|", "/"))
    # Only an item of a JSON array can hold what separates items elsewhere.
    items = fn.when(cleaned.startswith("["), harmless).otherwise(names)
    return fn.when(fn.size(names) > 0, fn.array_join(items, "|"))


def _split(text: Column, separator: str) -> Column:
    return fn.array_remove(fn.array_remove(fn.split(text, separator), ""), "N/A")


def _json_items(raw: Column) -> Column:
    def item(text: Column) -> Column:
        return clean_line(fn.when(text.startswith("{"), fn.get_json_object(text, "$.name")).otherwise(text))

    return bind(
        fn.from_json(raw, "array<string>"),
        lambda array: fn.filter(fn.transform(array, item), lambda name: name.isNotNull()),
    )
