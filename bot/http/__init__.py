"""The HTTP side: host agents and health checks."""
