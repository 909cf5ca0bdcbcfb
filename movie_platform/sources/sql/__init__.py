"""Sources of the kind `sql`: tables and queries of any database with an ADBC driver or an SQLAlchemy URL."""
