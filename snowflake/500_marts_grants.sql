-- The transformer makes the marts and so owns them: a view reads with its owner's rights, and the transformer may
-- read RAW, CORE and OPS already. Who reads a mart needs no right on what lies behind it.
GRANT CREATE VIEW ON SCHEMA {{ database }}.MARTS TO ROLE {{ database }}_TRANSFORMER;
