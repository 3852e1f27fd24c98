"""Keys and bulk writes, the same on SQLite and PostgreSQL."""
