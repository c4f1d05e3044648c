"""The Response Policy Zone: its content, its journal, and the hidden primary that resolvers take it from."""
