"""The replica of `hybrid`: what one user may see, in SQLite, kept up to date by the change feed.

Reads are answered from it (`answers`); it never writes to a server, and never decides who may see.
"""
