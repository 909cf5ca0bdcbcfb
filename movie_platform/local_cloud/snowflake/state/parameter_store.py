# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""Parameters that are set for the account or for a user, in the account's file.

Source: Snowflake documentation, "Parameters" ("Parameter hierarchy and types"), "ALTER ACCOUNT", "ALTER USER".
"""

import threading
from collections.abc import Mapping

from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.text.session_parameters import PARAMETERS, ParameterValue, shown

ACCOUNT, USER, SESSION = "ACCOUNT", "USER", "SESSION"
_ACCOUNT_NAME = ""


class ParameterStore:
    """Reads and writes the values; kept in memory too, since each statement asks for them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._values: dict[tuple[str, str], dict[str, ParameterValue]] = {}
        self.generation = 0
        for level, owner, name, text in engine.query(
            f"SELECT level, owner, name, value FROM {ACCOUNT_STATE}._fs_parameters"
        ):
            self._values.setdefault((level, owner), {})[name] = PARAMETERS[name].value(text)

    def of_account(self) -> Mapping[str, ParameterValue]:
        """What is set for the account."""
        return self._values.get((ACCOUNT, _ACCOUNT_NAME), {})

    def of_user(self, user: str) -> Mapping[str, ParameterValue]:
        """What is set for a user."""
        return self._values.get((USER, user), {})

    def set_account(self, name: str, value: ParameterValue | None) -> None:
        """Sets the account's value; None takes it away."""
        self._set(ACCOUNT, _ACCOUNT_NAME, name, value)

    def set_user(self, user: str, name: str, value: ParameterValue | None) -> None:
        """Sets a user's value; None takes it away."""
        self._set(USER, user, name, value)

    def forget_user(self, user: str) -> None:
        """A user is gone, or made anew."""
        for name in list(self.of_user(user)):
            self.set_user(user, name, None)

    def _set(self, level: str, owner: str, name: str, value: ParameterValue | None) -> None:
        with self._lock:
            self._engine.write(
                f"DELETE FROM {ACCOUNT_STATE}._fs_parameters WHERE level = ? AND owner = ? AND name = ?",
                [level, owner, name],
            )
            values = dict(self._values.get((level, owner), {}))
            values.pop(name, None)
            if value is not None:
                self._engine.write(
                    f"INSERT INTO {ACCOUNT_STATE}._fs_parameters VALUES (?, ?, ?, ?)",
                    [level, owner, name, shown(value)],
                )
                values[name] = value
            self._values[level, owner] = values
            self.generation += 1

    def effective(
        self, user: str | None, session: Mapping[str, ParameterValue]
    ) -> dict[str, tuple[ParameterValue, str]]:
        """Each parameter's value and the level that says it ("" for the default): session, user, account, default."""
        levels = (
            (SESSION, session),
            (USER, self.of_user(user) if user is not None else {}),
            (ACCOUNT, self.of_account()),
        )
        found: dict[str, tuple[ParameterValue, str]] = {}
        for name, known in PARAMETERS.items():
            level, values = next(((level, values) for level, values in levels if name in values), ("", {}))
            found[name] = (values[name] if level else known.default, level)
        return found
