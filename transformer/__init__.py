"""Turns domain names into the ego-graphs that the predictor scores; holds the passive-DNS graph."""
