"""`python -m load_tests.load`: traffic as resolvers make it, judged by service level objectives."""
