"""The use cases: one transaction each, audit included. They take domain values and raise `errors`."""
