-- A limit to what the platform's own warehouses may cost in a month; it is given to no other.
CREATE RESOURCE MONITOR IF NOT EXISTS {{ warehouse }}_MONITOR
WITH CREDIT_QUOTA = {{ credit_quota }}
FREQUENCY = MONTHLY
START_TIMESTAMP = IMMEDIATELY
TRIGGERS
ON 80 PERCENT DO NOTIFY
ON 100 PERCENT DO SUSPEND;
