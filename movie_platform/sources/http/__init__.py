"""What sources that are HTTP APIs share: asking politely, again where that can help, and never twice for one answer.

`client.ApiClient` puts the parts together; the others can be read by themselves. Nothing here knows a certain API.
"""
