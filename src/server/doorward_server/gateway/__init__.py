"""Renders the configuration in envoy/ and runs Envoy with it."""
