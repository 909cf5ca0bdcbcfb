-- The schemas, one a layer. Their owner alone grants rights on what they hold.
CREATE OR ALTER SCHEMA {{ database }}.RAW
WITH MANAGED ACCESS
COMMENT = 'Tables as the transform wrote them, append-only, every version of every batch.';

CREATE OR ALTER SCHEMA {{ database }}.CORE
WITH MANAGED ACCESS
COMMENT = 'The star schema, kept from complete batches.';

CREATE OR ALTER SCHEMA {{ database }}.MARTS
WITH MANAGED ACCESS
COMMENT = 'The views that people read.';
