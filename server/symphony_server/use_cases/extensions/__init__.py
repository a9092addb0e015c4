"""What can be done with extensions: one file an action."""
