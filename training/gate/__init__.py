"""Whether a candidate may take a baseline's place, by rules of a file and two evaluation reports."""
