-- CORE.APPLIED_DAYS: kept by the task graph.
CREATE OR ALTER TABLE {{ database }}.CORE.applied_days (
    {{ columns CORE.applied_days }}
)
COMMENT = {{ comment CORE.applied_days }};
