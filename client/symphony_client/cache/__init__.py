"""What the `cached` adapter keeps, and when it may not: entries, flights, and each user's Watch.

Which requests these are is in `keys` and `writes`; no adapter is known here.
"""
