"""PostgreSQL: the only state and the only queue."""
