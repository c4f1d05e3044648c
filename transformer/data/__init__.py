"""Tables behind the lexical features; README.md names their source and licence."""
