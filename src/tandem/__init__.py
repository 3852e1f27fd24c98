"""Tandem: a self-hosted CRM whose calendar keeps itself."""

__version__ = "0.1.0"
