"""The `symphony` command for people: it asks a server by way of the client, and decides nothing.

One file a noun. The server's own commands (`serve`, `migrate`, `token`, `audit verify` and `head`)
are mounted from `symphony_server.cli` where the server is installed.
"""
