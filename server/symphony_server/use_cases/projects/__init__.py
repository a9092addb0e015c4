"""What can be done with projects: one file an action."""
