"""What is read of the messages of Envoy's ext_authz, generated: internal."""
