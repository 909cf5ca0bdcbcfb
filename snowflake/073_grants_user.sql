-- The pipeline's user loads, transforms and reads; it holds no administrator's role through these grants.
GRANT ROLE {{ database }}_LOADER TO USER {{ user }};

GRANT ROLE {{ database }}_TRANSFORMER TO USER {{ user }};

GRANT ROLE {{ database }}_READER TO USER {{ user }};
