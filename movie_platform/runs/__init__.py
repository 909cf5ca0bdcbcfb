"""Running the pipeline from the command: the Dagster instance of a home, runs in this process, and what
they say.

The runs are ordinary Dagster runs: the UI of the same home shows them with their job, logs and asset
events, and the sensors of the same home see them.
"""
