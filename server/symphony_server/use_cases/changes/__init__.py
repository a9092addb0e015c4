"""The change feed: what one caller sees of the change log, and how it follows it."""
