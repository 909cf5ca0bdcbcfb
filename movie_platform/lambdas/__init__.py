"""The Lambda function that verifies landed bundles and unpacks them.

The folder is shipped whole, with `bundles` and `contracts`: standard library, boto3 and dagster-pipes are all
that it imports besides them.
"""
