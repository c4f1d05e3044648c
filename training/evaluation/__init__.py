"""Judge a model version by what the running services answer."""
