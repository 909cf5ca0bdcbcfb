"""Asset checks, made from contracts, manifests and the records of the transform.

A check reports what it found: counts, a sample of offenders, what to do. A fault in the data is a failed check; only
a fault of the platform (no connection, no such bundle) is a failed step.
"""
