-- OPS.DATA_QUALITY_RESULTS: append-only, by the last task.
CREATE OR ALTER TABLE {{ database }}.OPS.data_quality_results (
    {{ columns OPS.data_quality_results }}
)
COMMENT = {{ comment OPS.data_quality_results }};
