"""What users have today, to measure against."""
