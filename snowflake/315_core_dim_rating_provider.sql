-- CORE.DIM_RATING_PROVIDER: filled once, by 355_core_fill_dim_rating_provider.sql.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.dim_rating_provider (
    provider_key VARCHAR NOT NULL COMMENT 'SHA-256 of the provider.',
    provider VARCHAR NOT NULL COMMENT 'Who rated: imdb, metacritic, rotten_tomatoes or critics.',
    provider_name VARCHAR NOT NULL COMMENT 'The provider''s name as people write it.',
    original_scale VARCHAR NOT NULL COMMENT 'The scale on which the provider itself rates.'
)
COMMENT = 'Who rates, SCD type 1.';
