"""What can be done with workflows: one file an action."""
