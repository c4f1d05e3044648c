"""The manifests as data: rendered by kustomize, checked against schemas and against rules."""
