"""The sync pipeline: read, plan, apply, deliver."""
