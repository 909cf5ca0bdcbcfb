-- The task graph settles the days that it has applied; everything else in OPS it only appends to.
GRANT UPDATE, DELETE ON TABLE {{ database }}.OPS.pending_days TO ROLE {{ database }}_TRANSFORMER;
