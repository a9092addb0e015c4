"""Keeps the data: tables, statements, the two doors. Only this package knows Peewee and SQL.

Nothing here decides who may do what, and nothing here knows gRPC.
"""
