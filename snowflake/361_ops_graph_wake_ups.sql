-- OPS.GRAPH_WAKE_UPS: a row says that the graph has something to do; its stream starts the graph.
CREATE TABLE IF NOT EXISTS {{ database }}.OPS.graph_wake_ups (
    noted_at TIMESTAMP_NTZ(6) NOT NULL COMMENT 'When it was noted, UTC.'
)
COMMENT = 'Requests for a run of the task graph, read through a stream.';
