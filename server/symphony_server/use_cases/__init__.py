"""What the service does: one file an action on one resource, readable top to bottom.

An action decides, judges, writes and records inside one of the store's doors. Nothing here
knows gRPC.
"""
