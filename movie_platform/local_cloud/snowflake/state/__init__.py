"""What the account keeps: the engine and its files, the lake, and a store for each kind of object.

Nothing here takes SQL apart that a client sent, and nothing knows of sessions.
"""
