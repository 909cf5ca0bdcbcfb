-- OPS.LOAD_RUNS: append-only, by the orchestrator.
CREATE OR ALTER TABLE {{ database }}.OPS.load_runs (
    {{ columns OPS.load_runs }}
)
COMMENT = {{ comment OPS.load_runs }};
