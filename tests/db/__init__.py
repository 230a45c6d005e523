"""Against a real PostgreSQL, always."""
