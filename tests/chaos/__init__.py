"""Faults injected into running services under load: what callers see, and how soon all is well again."""
