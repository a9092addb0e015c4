"""The contract's requests answered in memory: what `adapters/mock.py` is made of.

No server, no network, no clock and no chance here, and nothing of who may do what.
"""
