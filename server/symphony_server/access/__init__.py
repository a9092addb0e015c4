"""Who is calling and what it may do: credentials, callers, the permission table, decisions.

Nothing here knows gRPC or the database: what must be looked up is handed in.
"""
