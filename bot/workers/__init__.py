"""What runs without a user. Each tick is a function; the state is in PostgreSQL."""
