-- The virtual warehouse, before all that needs one: small, and asleep a minute after its last query. One of this name that
-- is there already stays as it is: it may be somebody else's.
CREATE WAREHOUSE IF NOT EXISTS {{ warehouse }}
WAREHOUSE_SIZE = XSMALL
AUTO_SUSPEND = 60
AUTO_RESUME = TRUE
INITIALLY_SUSPENDED = TRUE
RESOURCE_MONITOR = {{ warehouse }}_MONITOR
COMMENT = 'Movie Platform.';
