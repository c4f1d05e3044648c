"""Measures speed; nothing here is imported by a service."""
