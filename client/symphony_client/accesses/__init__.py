"""The typed data access, one file a domain: which request each method is, and nothing else.

No adapter is known here and no rule; what answers is a `DataSource`.
"""
