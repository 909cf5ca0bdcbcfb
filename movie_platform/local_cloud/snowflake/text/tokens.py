"""A small strict reader of Snowflake statements: for the statements that sqlglot does not parse.

`TokenStream` is what the statement modules read from. It either matches the grammar that they ask for or raises
Snowflake's syntax error with the line and position; nothing is skipped or guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, syntax_error
from movie_platform.local_cloud.snowflake.text.names import Name


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted identifier"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is the value (quotes and escapes resolved); start and end are offsets into the statement."""

    kind: Kind
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<dollar>\$\$.*?\$\$)
    |(?P<string>'(?:[^'\\]|''|\\.)*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<symbol>=>|::|[^\s'"])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}


def _unescape(body: str) -> str:
    return _ESCAPE.sub(lambda match: "'" if match[1] is None else _ESCAPES.get(match[1], match[1]), body)


def tokenize(sql: str) -> Iterator[Token]:
    """The tokens of a statement, comments left out, an END token last.

    Raises SnowflakeError (syntax error) where no token can begin, for example in an unclosed string.
    """
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise _unexpected(sql, position, sql[position : position + 20])
        text, start, position = match[0], match.start(), match.end()
        if match["space"] is not None:
            continue
        if match["word"] is not None:
            yield Token(Kind.WORD, text, start, position)
        elif match["number"] is not None:
            yield Token(Kind.NUMBER, text, start, position)
        elif match["dollar"] is not None:
            yield Token(Kind.STRING, text[2:-2], start, position)
        elif match["string"] is not None:
            yield Token(Kind.STRING, _unescape(text[1:-1]), start, position)
        elif match["quoted"] is not None:
            yield Token(Kind.QUOTED, text[1:-1].replace('""', '"'), start, position)
        else:
            yield Token(Kind.SYMBOL, text, start, position)
    yield Token(Kind.END, "", len(sql), len(sql))


def _unexpected(sql: str, position: int, text: str) -> SnowflakeError:
    line = sql.count("\n", 0, position) + 1
    column = position - (sql.rfind("\n", 0, position) + 1)
    what = f"unexpected '{text}'" if text else "unexpected '<EOF>'"
    return syntax_error(f"syntax error line {line} at position {column} {what}.")


def leading_words(sql: str, limit: int = 8) -> tuple[str, ...]:
    """The words that a statement begins with, upper case, up to the first token that is no word."""
    words: list[str] = []
    for token in tokenize(sql):
        if token.kind is not Kind.WORD or len(words) == limit:
            break
        words.append(token.text.upper())
    return tuple(words)


Value = str | int | float | bool | tuple[str | int | float | bool, ...]


class TokenStream:
    """Reads one statement from left to right."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._tokens = list(tokenize(sql))
        self._next = 0

    @property
    def token(self) -> Token:
        """The next token, not yet taken."""
        return self._tokens[self._next]

    @property
    def previous_end(self) -> int:
        """Where the token that was taken last ends in the statement; 0 before the first."""
        return self._tokens[self._next - 1].end if self._next else 0

    def at_symbol(self, symbol: str) -> bool:
        """Whether a symbol such as `(` comes next."""
        return self.token.kind is Kind.SYMBOL and self.token.text == symbol

    def take(self) -> Token:
        """Takes the next token."""
        token = self.token
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def unexpected(self) -> SnowflakeError:
        """The syntax error that points at the next token."""
        return _unexpected(self.sql, self.token.start, self.sql[self.token.start : self.token.end])

    def at(self, *words: str) -> bool:
        """Whether these words come next."""
        following = self._tokens[self._next : self._next + len(words)]
        return len(following) == len(words) and all(
            token.kind is Kind.WORD and token.text.upper() == word
            for token, word in zip(following, words, strict=True)
        )

    def end_of(self, *words: str) -> int:
        """Takes these words, or raises a syntax error; gives where they end."""
        self.expect(*words)
        return self.previous_end

    def accept(self, *words: str) -> bool:
        """Takes these words if they come next."""
        if not self.at(*words):
            return False
        self._next += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Takes these words, or raises a syntax error."""
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def accept_symbol(self, symbol: str) -> bool:
        """Takes a symbol such as `=` or `(` if it comes next."""
        if self.token.kind is Kind.SYMBOL and self.token.text == symbol:
            self._next += 1
            return True
        return False

    def expect_symbol(self, symbol: str) -> None:
        """Takes a symbol, or raises a syntax error."""
        if not self.accept_symbol(symbol):
            raise self.unexpected()

    def end(self) -> None:
        """Checks that nothing follows but a semicolon."""
        self.accept_symbol(";")
        if self.token.kind is not Kind.END:
            raise self.unexpected()

    @property
    def at_end(self) -> bool:
        """Whether nothing follows but, perhaps, a semicolon."""
        following = [token for token in self._tokens[self._next :] if token.kind is not Kind.END]
        return not following or (len(following) == 1 and following[0].text == ";")

    def word(self) -> str:
        """Takes any word and gives it in upper case."""
        if self.token.kind is not Kind.WORD:
            raise self.unexpected()
        return self.take().text.upper()

    def identifier(self) -> str:
        """Takes one identifier: upper case, or exactly as written where it is in double quotes."""
        if self.token.kind is Kind.QUOTED:
            return self.take().text
        return self.word()

    def name(self) -> Name:
        """Takes an object name of one to three parts."""
        if self.at("IDENTIFIER") and self._tokens[self._next + 1].text == "(":
            self._next += 2
            name = parse_name(self.string())
            self.expect_symbol(")")
            return name
        parts = [self.identifier()]
        while self.accept_symbol("."):
            parts.append(self.identifier())
        if len(parts) > 3:
            raise self.unexpected()
        return Name.of(parts)

    def string(self) -> str:
        """Takes a string literal."""
        if self.token.kind is not Kind.STRING:
            raise self.unexpected()
        return self.take().text

    def integer(self) -> int:
        """Takes a whole number."""
        if self.token.kind is not Kind.NUMBER or not self.token.text.isdigit():
            raise self.unexpected()
        return int(self.take().text)

    def boolean(self) -> bool:
        """Takes TRUE or FALSE."""
        if self.accept("TRUE"):
            return True
        self.expect("FALSE")
        return False

    def value(self) -> Value:
        """Takes a parameter's value: a string, number, boolean, word (upper case), or a list of these in brackets."""
        if self.accept_symbol("("):
            values: list[str | int | float | bool] = []
            while not self.accept_symbol(")"):
                item = self.value()
                if isinstance(item, tuple):
                    raise self.unexpected()
                values.append(item)
                if not self.accept_symbol(","):
                    self.expect_symbol(")")
                    break
            return tuple(values)
        token = self.token
        if token.kind is Kind.STRING:
            return self.take().text
        if token.kind is Kind.NUMBER:
            text = self.take().text
            return int(text) if text.isdigit() else float(text)
        if token.kind is Kind.SYMBOL and token.text == "-":
            self.take()
            number = self.value()
            if isinstance(number, int | float) and not isinstance(number, bool):
                return -number
            raise self.unexpected()
        if self.at("TRUE") or self.at("FALSE"):
            return self.boolean()
        return self.word()

    def properties(self, allowed: frozenset[str], *, stop: frozenset[str] = frozenset()) -> dict[str, Value]:
        """Takes `NAME = value` pairs (with or without commas) until the end, a closing bracket or a stop word.

        Raises SnowflakeError for a name outside `allowed` or one that comes twice.
        """
        found: dict[str, Value] = {}
        while True:
            self.accept_symbol(",")
            token = self.token
            if token.kind is not Kind.WORD or token.text.upper() in stop:
                return found
            name = token.text.upper()
            if name not in allowed or name in found:
                raise self.unexpected()
            self.take()
            self.expect_symbol("=")
            found[name] = self.value()

    def adjacent_text(self) -> str:
        """Takes all tokens that follow each other without a space, as written: a stage path.

        A comma, semicolon or bracket ends it.
        """
        start = end = self.token.start
        while (
            self.token.kind is not Kind.END
            and self.token.start == end
            and self.token.text not in {",", ";", "(", ")"}
        ):
            end = self.take().end
        return self.sql[start:end]

    def rest(self) -> str:
        """The statement's text from the next token on, without a final semicolon; takes it all."""
        text = self.sql[self.token.start :].rstrip().rstrip(";").rstrip()
        self._next = len(self._tokens) - 1
        return text


def parse_name(text: str) -> Name:
    """An object name given as text, for example an argument of a function.

    Raises SnowflakeError where it is not one.
    """
    stream = TokenStream(text)
    name = stream.name()
    stream.end()
    return name
