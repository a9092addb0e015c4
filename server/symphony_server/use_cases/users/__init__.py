"""What can be done with users: one file an action."""
