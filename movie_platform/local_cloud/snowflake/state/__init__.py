"""What the account keeps: the engine and its files, the lake, and a store for each kind of object.

Beside the stores stand what statements ask of the background services (`task_requests`, `pipe_requests`) and what
statements and services both make of what is kept: the place that a stage reference means, the plan of a COPY, a load.
Nothing here knows of sessions.
"""
