-- CORE.DIM_DATE: filled once, by 350_core_fill_dim_date.sql.
CREATE OR ALTER TABLE {{ database }}.CORE.dim_date (
    {{ columns CORE.dim_date }}
)
COMMENT = {{ comment CORE.dim_date }};
