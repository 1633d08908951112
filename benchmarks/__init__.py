"""What Check costs, measured on this machine: ``python -m benchmarks``."""
