"""Generated from the protos of `doorward.extauthz.v1`."""
