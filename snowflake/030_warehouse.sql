-- The virtual warehouse: small, and asleep a minute after its last query.
CREATE WAREHOUSE IF NOT EXISTS {{ warehouse }}
WAREHOUSE_SIZE = XSMALL
AUTO_SUSPEND = 60
AUTO_RESUME = TRUE
INITIALLY_SUSPENDED = TRUE
COMMENT = 'Movie Platform.';
