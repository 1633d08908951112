"""Generated from the protos of `doorward.policy.v1`."""
