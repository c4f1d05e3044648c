"""Requests that nobody means, over every way in."""
