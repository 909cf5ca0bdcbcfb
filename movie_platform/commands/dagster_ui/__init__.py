"""The Dagster UI that `movie-platform dev` starts: Dagster's own web server, behind a guard and a token.

`dev` is `dagster dev` with our web server in place of Dagster's, `server` is that web server, and `token_gate` asks for
the token. They are programs of child processes, of which the command knows the names alone.
"""

DEV_MODULE = f"{__name__}.dev"
SERVER_MODULE = f"{__name__}.server"
