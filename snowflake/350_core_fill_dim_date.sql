-- Days from 1870-01-01 to 2100-12-31; days that are there stay as they are.
INSERT INTO {{ database }}.CORE.dim_date (
    date_key, date, year, quarter, month, month_name, year_month, day_of_month, day_of_year, day_of_week, day_name,
    is_weekend, iso_year, iso_week, first_day_of_month, last_day_of_month, decade
)
WITH days AS (
    SELECT DATEADD(DAY, ROW_NUMBER() OVER (ORDER BY NULL) - 1, TO_DATE('1870-01-01', 'YYYY-MM-DD')) AS date
    FROM TABLE(GENERATOR(ROWCOUNT => 84371))
)

SELECT
    YEAR(days.date) * 10000 + MONTH(days.date) * 100 + DAY(days.date) AS date_key,
    days.date,
    YEAR(days.date) AS year,
    QUARTER(days.date) AS quarter,
    MONTH(days.date) AS month,
    CASE MONTH(days.date)
        WHEN 1 THEN 'January' WHEN 2 THEN 'February' WHEN 3 THEN 'March' WHEN 4 THEN 'April'
        WHEN 5 THEN 'May' WHEN 6 THEN 'June' WHEN 7 THEN 'July' WHEN 8 THEN 'August'
        WHEN 9 THEN 'September' WHEN 10 THEN 'October' WHEN 11 THEN 'November' ELSE 'December'
    END AS month_name,
    CONCAT(YEAR(days.date), '-', LPAD(MONTH(days.date)::VARCHAR, 2, '0')) AS year_month,
    DAY(days.date) AS day_of_month,
    DAYOFYEAR(days.date) AS day_of_year,
    DAYOFWEEKISO(days.date) AS day_of_week,
    CASE DAYOFWEEKISO(days.date)
        WHEN 1 THEN 'Monday' WHEN 2 THEN 'Tuesday' WHEN 3 THEN 'Wednesday' WHEN 4 THEN 'Thursday'
        WHEN 5 THEN 'Friday' WHEN 6 THEN 'Saturday' ELSE 'Sunday'
    END AS day_name,
    DAYOFWEEKISO(days.date) >= 6 AS is_weekend,
    YEAROFWEEKISO(days.date) AS iso_year,
    WEEKISO(days.date) AS iso_week,
    DATE_TRUNC('MONTH', days.date) AS first_day_of_month,
    LAST_DAY(days.date) AS last_day_of_month,
    FLOOR(YEAR(days.date) / 10) * 10 AS decade
FROM days
WHERE days.date NOT IN (SELECT known.date FROM {{ database }}.CORE.dim_date AS known);
