"""What Prometheus scrapes: the numbers that the other parts keep, named as in docs/reference/metrics.md.

Nothing else knows Prometheus. No label has a value that a caller chooses, or one for each token or app.
"""
