"""Scores ego-graphs with the graph neural network, in batches that follow the load."""
