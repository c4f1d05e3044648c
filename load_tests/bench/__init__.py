"""The table that users decide by: every ratio from one run, medians of repeats.

Pure: `figures`, `options`, `render`, `tables`, and the sorting in `profile`. The rest starts processes.
"""
