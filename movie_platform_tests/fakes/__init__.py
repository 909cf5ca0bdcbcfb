"""Small servers that behave as the real APIs do, on 127.0.0.1, and misbehave on command."""
