"""The PostgreSQL that comes along, treated as badly as machines and people treat it."""
