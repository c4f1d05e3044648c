"""`python -m resolver.replay FILE`: what a policy would have done to queries of the past."""
