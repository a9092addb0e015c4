"""Questions about permissions and decisions."""
