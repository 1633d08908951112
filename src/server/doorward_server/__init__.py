"""Doorward's server: the control plane, the check replicas and the Envoy that asks them."""
