"""Tasks: SQL that runs by itself, on a schedule and after one another.

`statements` and `showing` take the SQL apart, `functions` are SYSTEM$ functions, `script` cuts a task's body into
statements, `schedule` and `graph` decide when and in which order, `store` keeps tasks and their history, `service`
starts graphs, `running` is one run of one task.
"""
