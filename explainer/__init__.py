"""Explains scores: which neighbours and which traits of a name a risk score rests on."""
