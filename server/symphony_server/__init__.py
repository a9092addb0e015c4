"""The Symphony data service: a gRPC server that decides, keeps and records.

A request's way, in order: `rpc/server.py`, `rpc/pipeline.py`, `rpc/services.py`, a file
of `use_cases/`, `store/doors.py`.
"""
