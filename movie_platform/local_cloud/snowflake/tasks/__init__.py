"""Tasks: SQL that runs by itself, on a schedule and after one another.

`statements` takes the SQL apart, `script` cuts a task's body into statements, `schedule` and `graph` decide when and in
which order, `store` keeps tasks and their history, `service` runs them.
"""
