"""A check replica: the policy in memory, answers to Envoy, no database."""
