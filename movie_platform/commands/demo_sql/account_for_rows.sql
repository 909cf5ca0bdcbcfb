-- Every row is accounted for: rows in = films + quarantined + duplicates
SELECT
    dt, rows_in, films, quarantined_rows AS quarantined, exact_duplicates AS duplicates,
    unaccounted_rows AS unaccounted, ROUND(100 * box_office_null_share, 1) AS percent_without_takings
FROM MARTS.DATA_QUALITY_DAILY
WHERE
    source = %(source)s
    AND dt BETWEEN TO_DATE(%(first)s, 'YYYY-MM-DD') AND TO_DATE(%(last)s, 'YYYY-MM-DD')
ORDER BY dt
