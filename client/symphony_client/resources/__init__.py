"""Resources kept by the client itself, in SQLite: what the mock and the replica are made of.

Nothing here knows a server, permissions or why a resource is kept.
"""
