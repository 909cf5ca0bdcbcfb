"""Thin wrappers on the services that assets and sensors talk to.

One module a service; nothing heavy (boto3, the Snowflake connector, pandas) is imported before it is used,
because every step process pays for what is imported here.
"""
