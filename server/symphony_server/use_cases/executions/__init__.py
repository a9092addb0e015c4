"""What can be done with executions: one file an action."""
