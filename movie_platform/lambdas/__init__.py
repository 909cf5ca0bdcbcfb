"""The Lambda function that verifies landed bundles and unpacks them, and how it is packaged.

What the function itself imports (`unpack` and what it needs) is standard library, boto3, dagster-pipes and
this project's contracts and verifying code. `package` runs where the platform is deployed from.
"""
