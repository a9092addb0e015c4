"""Business rules: pure functions from messages and plain values to violations and figures.

Nothing here may do I/O or know grpc, a database, who is calling, or what the store holds.
"""
