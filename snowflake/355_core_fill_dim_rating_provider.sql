-- The providers that the transform knows; a name that is written otherwise from now on replaces the old one.
MERGE INTO {{ database }}.CORE.dim_rating_provider AS known
USING (
    SELECT
        SHA2(providers.provider, 256) AS provider_key,
        providers.provider,
        providers.provider_name,
        providers.original_scale
    FROM (
        SELECT 'imdb' AS provider, 'IMDb' AS provider_name, '1 to 10' AS original_scale
        UNION ALL
        SELECT 'metacritic' AS provider, 'Metacritic' AS provider_name, '0 to 100' AS original_scale
        UNION ALL
        SELECT 'rotten_tomatoes' AS provider, 'Rotten Tomatoes' AS provider_name, '0 to 100 %' AS original_scale
        UNION ALL
        SELECT 'critics' AS provider, 'Critics' AS provider_name, '0 to 10' AS original_scale
    ) AS providers
) AS provided ON known.provider_key = provided.provider_key
WHEN MATCHED THEN UPDATE SET
    provider = provided.provider,
    provider_name = provided.provider_name,
    original_scale = provided.original_scale
WHEN NOT MATCHED THEN INSERT (provider_key, provider, provider_name, original_scale)
    VALUES (provided.provider_key, provided.provider, provided.provider_name, provided.original_scale);
