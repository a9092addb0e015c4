"""What is done to every call on its way out: one file a concern, and one of glue for each API.

Nothing here knows a resource, a use case or what an answer means.
"""
