"""The bundle format: how an extract is written, zipped, read and verified.

`docs/bundle-format.md` describes the format for producers outside this platform. Reading and verifying
(`reasons`, `errors`, `limits`, `manifest`, `zip_format`, `zip_reader`, `csv_scan`, `verify`, `read`) need
the standard library alone, because the Lambda ships them; writing and comparing (`content`, `stats`,
`parts`, `write`, `zipping`, `compare`) use pyarrow and isal. Import the modules themselves: this package
imports none of them.
"""
