-- CORE.DIM_DATE: filled once, by 350_core_fill_dim_date.sql.
CREATE TABLE IF NOT EXISTS {{ database }}.CORE.dim_date (
    date_key NUMBER(10, 0) NOT NULL COMMENT 'The date as a number, YYYYMMDD.',
    date DATE NOT NULL COMMENT 'The day.',
    year NUMBER(10, 0) NOT NULL COMMENT 'Calendar year.',
    quarter NUMBER(10, 0) NOT NULL COMMENT 'Quarter of the year, 1 to 4.',
    month NUMBER(10, 0) NOT NULL COMMENT 'Month of the year, 1 to 12.',
    month_name VARCHAR NOT NULL COMMENT 'English name of the month.',
    year_month VARCHAR NOT NULL COMMENT 'Year and month as YYYY-MM.',
    day_of_month NUMBER(10, 0) NOT NULL COMMENT 'Day of the month, from 1.',
    day_of_year NUMBER(10, 0) NOT NULL COMMENT 'Day of the year, from 1.',
    day_of_week NUMBER(10, 0) NOT NULL COMMENT 'Day of the week by ISO 8601: 1 is Monday, 7 is Sunday.',
    day_name VARCHAR NOT NULL COMMENT 'English name of the day of the week.',
    is_weekend BOOLEAN NOT NULL COMMENT 'Whether it is a Saturday or a Sunday.',
    iso_year NUMBER(10, 0) NOT NULL COMMENT 'Year that the week belongs to by ISO 8601.',
    iso_week NUMBER(10, 0) NOT NULL COMMENT 'Week of that year by ISO 8601, 1 to 53.',
    first_day_of_month DATE NOT NULL COMMENT 'First day of the month.',
    last_day_of_month DATE NOT NULL COMMENT 'Last day of the month.',
    decade NUMBER(10, 0) NOT NULL COMMENT 'First year of the decade.'
)
COMMENT = 'Days from 1870-01-01 to 2100-12-31.';
