"""Deploys the platform to whatever the settings point at: packages, stacks, Snowflake's objects.

`provision` is the entry; the other modules do one step each and know nothing of the others.
"""

from movie_platform.provision.run import ProvisionReport, print_account_sql, provision

__all__ = ["ProvisionReport", "print_account_sql", "provision"]
