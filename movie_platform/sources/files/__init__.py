"""Sources of the kind `files`: CSV, JSON and Parquet, on disk, in S3, behind a web address, or inside a ZIP."""
