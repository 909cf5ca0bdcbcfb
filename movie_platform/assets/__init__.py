"""The assets: one module a hop, in the order data flows (source, extract, landing, processed, archive,
warehouse, core, marts), and what several of them share.
"""
