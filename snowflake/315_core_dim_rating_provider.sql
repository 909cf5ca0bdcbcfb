-- CORE.DIM_RATING_PROVIDER: filled once, by 355_core_fill_dim_rating_provider.sql.
CREATE OR ALTER TABLE {{ database }}.CORE.dim_rating_provider (
    {{ columns CORE.dim_rating_provider }}
)
COMMENT = {{ comment CORE.dim_rating_provider }};
