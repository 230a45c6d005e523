"""The PostgreSQL that comes along: for those who have no database server of their own."""

from db.embedded.paths import default_data_directory
from db.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "default_data_directory"]
