"""The pipeline for Kubeflow: the same steps, each in a container of its own."""
