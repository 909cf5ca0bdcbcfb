-- The schemas, one a layer. Their owner alone grants rights on what they hold.
CREATE SCHEMA IF NOT EXISTS {{ database }}.RAW
WITH MANAGED ACCESS
COMMENT = 'Tables as the transform wrote them, append-only, every version of every batch.';

CREATE SCHEMA IF NOT EXISTS {{ database }}.CORE
WITH MANAGED ACCESS
COMMENT = 'The star schema, kept from complete batches.';

CREATE SCHEMA IF NOT EXISTS {{ database }}.MARTS
WITH MANAGED ACCESS
COMMENT = 'The views that people read.';
