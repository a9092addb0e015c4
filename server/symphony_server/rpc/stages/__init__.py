"""The stages of the pipeline: one file a concern. Their order is in `rpc/pipeline.py`."""
