"""Several writes done as one."""
