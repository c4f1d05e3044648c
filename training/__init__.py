"""From labelled names and a labelled graph to a model version, and to the figures it is judged by."""
