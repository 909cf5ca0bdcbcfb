-- The virtual warehouses, small, and asleep a minute after their last query: one for the platform's own work, one for people
-- who read, so that neither waits for the other. One of such a name that is there already stays as it is: it may be
-- somebody else's.
CREATE WAREHOUSE IF NOT EXISTS {{ warehouse }}
WAREHOUSE_SIZE = XSMALL
AUTO_SUSPEND = 60
AUTO_RESUME = TRUE
INITIALLY_SUSPENDED = TRUE
STATEMENT_TIMEOUT_IN_SECONDS = 3600
RESOURCE_MONITOR = {{ warehouse }}_MONITOR
COMMENT = 'Movie Platform: loads and transforms.';

CREATE WAREHOUSE IF NOT EXISTS {{ warehouse }}_READERS
WAREHOUSE_SIZE = XSMALL
AUTO_SUSPEND = 60
AUTO_RESUME = TRUE
INITIALLY_SUSPENDED = TRUE
STATEMENT_TIMEOUT_IN_SECONDS = 600
RESOURCE_MONITOR = {{ warehouse }}_MONITOR
COMMENT = 'Movie Platform: people and tools that read.';
