"""The Lambda function that verifies landed bundles and unpacks them.

`unpack` is its handler, `process` the steps of a bundle's way, `landed` the object that is carried along it. Standard
library, boto3, dagster-pipes and this project's contracts and verifying code: the folder is shipped whole, packed by
`provision.lambda_package`.
"""
