"""The canary's controller: steps, evidence, promotion, taking back. `python -m rollout --help`."""
