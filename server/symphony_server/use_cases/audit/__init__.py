"""Actions on the audit log: reading it, and proving it whole."""
