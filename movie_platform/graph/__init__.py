"""The words that assets, checks, automation and exports share: asset keys, partitions, names of tags and metadata,
column metadata, automation conditions. No asset, check or job is made here.
"""
