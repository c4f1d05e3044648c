"""Training as plain steps: each reads the folders of earlier ones and writes one of its own."""
