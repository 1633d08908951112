"""Between the messages of `doorward.v1` and the values of the domain."""
