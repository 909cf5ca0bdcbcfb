-- OPS.GRAPH_WAKE_UPS: a row says that the graph has something to do; its stream starts the graph.
CREATE OR ALTER TABLE {{ database }}.OPS.graph_wake_ups (
    {{ columns OPS.graph_wake_ups }}
)
-- For its stream; what a table's file does not name is unset.
CHANGE_TRACKING = TRUE
COMMENT = {{ comment OPS.graph_wake_ups }};
