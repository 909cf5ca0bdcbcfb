"""Writing bundles: parts, sums and statistics of an extract, its ZIP, and comparing the two forms that it holds.

Needs pyarrow and isal. Reading and verifying, which the Lambda does as well, is `bundles`.
"""
