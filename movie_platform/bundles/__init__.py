"""The bundle format: manifest, limits, reading and verifying, with the standard library alone.

The Lambda ships this folder whole, so nothing here may need more than Python. `docs/bundle-format.md` describes the
format for producers outside this platform; `bundle_writing` writes it. Import the modules themselves: this package
imports none of them.
"""
