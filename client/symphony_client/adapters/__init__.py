"""The adapters, one file a data source: grpc, mock, local, hybrid, cached.

Each is a `DataSource`; what their answers mean to an application is not their business.
"""
