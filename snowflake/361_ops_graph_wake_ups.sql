-- OPS.GRAPH_WAKE_UPS: a row says that the graph has something to do; its stream starts the graph.
CREATE OR ALTER TABLE {{ database }}.OPS.graph_wake_ups (
    {{ columns OPS.graph_wake_ups }}
)
COMMENT = {{ comment OPS.graph_wake_ups }};
