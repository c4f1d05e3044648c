"""`python -m load_tests.bench_resolver`: what the sidecar takes, and what it costs a resolver."""
