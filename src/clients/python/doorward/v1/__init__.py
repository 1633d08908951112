"""Generated from the protos of `doorward.v1`."""
