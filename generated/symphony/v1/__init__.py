"""Version 1: `*_pb2` messages, `*_pb2_grpc` stubs."""
