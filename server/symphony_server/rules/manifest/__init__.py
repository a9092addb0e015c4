"""The manifest of an extension: reading it, its shape, its security scan; `judge` is the way in.

Pure functions from text to messages. Nothing here may run, fetch or store what a manifest names.
"""
