"""The wire: bytes and metadata in, answers and statuses out. Only this package knows gRPC.

Nothing here decides or keeps anything: it hands requests to `use_cases`.
"""
