"""Tracked versions in an MLflow registry: listed, shown, compared, given an alias."""
