"""What crosses a process boundary: tensors, feature order, ragged graphs and errors.

A service can be rewritten against this package without opening another service.
"""
