"""Snowpipe: pipes, their queue in the local SQS, and the workers that load what the queue announces.

`statements` answers SQL, `store` keeps state, `events` reads S3's messages, `service` runs the workers. Streams and
tasks will be packages beside this one, of the same shape.
"""
