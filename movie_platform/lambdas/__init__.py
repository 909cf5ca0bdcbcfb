"""The Lambda function that verifies landed bundles and unpacks them.

Standard library, boto3, dagster-pipes and this project's contracts and verifying code: the folder is shipped whole,
packed by `provision.lambda_package`.
"""
