"""Deploys the platform to whatever the settings point at: packages, stacks, Snowflake's objects.

`run.provision` is the entry; the other modules do one step each and know nothing of the others.
"""
