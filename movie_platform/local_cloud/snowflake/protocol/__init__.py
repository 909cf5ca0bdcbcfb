"""The connector's HTTP protocol: logging in, statements in, result sets out. Nothing here knows SQL."""
