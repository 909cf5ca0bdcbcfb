"""The kinds of objects that belong to the account and to no database: what statements call them, what they may say.

Sources: Snowflake documentation, "CREATE ROLE", "CREATE USER", "CREATE WAREHOUSE", "CREATE STORAGE INTEGRATION",
"CREATE RESOURCE MONITOR".
"""

from dataclasses import dataclass

from movie_platform.local_cloud.snowflake.text.session_parameters import PARAMETERS

SIZES = {
    "XSMALL": "X-Small", "X-SMALL": "X-Small", "SMALL": "Small", "MEDIUM": "Medium", "LARGE": "Large",
    "XLARGE": "X-Large", "X-LARGE": "X-Large", "XXLARGE": "2X-Large", "X2LARGE": "2X-Large", "2X-LARGE": "2X-Large",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountKind:
    """What a kind of object is called in statements and which properties it takes."""

    name: str
    words: tuple[str, ...]
    plural: tuple[str, ...]
    properties: frozenset[str]


ROLE = AccountKind("ROLE", ("ROLE",), ("ROLES",), frozenset({"COMMENT"}))
USER = AccountKind(
    "USER",
    ("USER",),
    ("USERS",),
    frozenset(
        {
            "COMMENT", "PASSWORD", "LOGIN_NAME", "DISPLAY_NAME", "FIRST_NAME", "LAST_NAME", "EMAIL", "DISABLED",
            "MUST_CHANGE_PASSWORD", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE", "DEFAULT_ROLE", "DEFAULT_SECONDARY_ROLES",
            "RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2", "TYPE",
        }
    )
    | PARAMETERS.keys(),
)  # fmt: skip
WAREHOUSE = AccountKind(
    "WAREHOUSE",
    ("WAREHOUSE",),
    ("WAREHOUSES",),
    frozenset(
        {
            "COMMENT", "WAREHOUSE_TYPE", "WAREHOUSE_SIZE", "MIN_CLUSTER_COUNT", "MAX_CLUSTER_COUNT", "SCALING_POLICY",
            "AUTO_SUSPEND", "AUTO_RESUME", "INITIALLY_SUSPENDED", "RESOURCE_MONITOR", "ENABLE_QUERY_ACCELERATION",
            "QUERY_ACCELERATION_MAX_SCALE_FACTOR", "MAX_CONCURRENCY_LEVEL", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS",
            "STATEMENT_TIMEOUT_IN_SECONDS",
        }
    ),
)  # fmt: skip
INTEGRATION = AccountKind(
    "INTEGRATION",
    ("STORAGE", "INTEGRATION"),
    ("INTEGRATIONS",),
    frozenset(
        {
            "COMMENT", "TYPE", "ENABLED", "STORAGE_PROVIDER", "STORAGE_AWS_ROLE_ARN", "STORAGE_AWS_EXTERNAL_ID",
            "STORAGE_AWS_OBJECT_ACL", "STORAGE_ALLOWED_LOCATIONS", "STORAGE_BLOCKED_LOCATIONS",
        }
    ),
)  # fmt: skip
MONITOR = AccountKind(
    "RESOURCE MONITOR",
    ("RESOURCE", "MONITOR"),
    ("RESOURCE", "MONITORS"),
    frozenset({"CREDIT_QUOTA", "FREQUENCY", "START_TIMESTAMP", "END_TIMESTAMP", "NOTIFY_USERS", "COMMENT"}),
)
KINDS = (ROLE, USER, WAREHOUSE, INTEGRATION, MONITOR)

# As a statement names the kind. ALTER, DROP and DESCRIBE name an integration without its type, too.
KINDS_AS_WRITTEN = {" ".join(kind.words): kind for kind in KINDS} | {INTEGRATION.name: INTEGRATION}
