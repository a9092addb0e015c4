"""What can be done with tokens: one file an action."""
