"""The stream from api to check, generated: internal, both ends are of the same release."""
