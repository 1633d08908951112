"""What api says of a request's fields, at the fields of the form that it was made from."""

from collections.abc import Mapping

import grpc

from doorward_server.web.console.failures import ApiError


def field_errors(error: ApiError, names: Mapping[str, str]) -> dict[str, str]:
    """The rule that each field of the form breaks; *names*: those of the form, by the request's.

    Raises the error if it is about anything else.
    """
    if error.code is not grpc.StatusCode.INVALID_ARGUMENT or not error.fields.keys() <= names.keys():
        raise error
    return {
        names[field]: f"{rule[:1].upper()}{rule[1:].rstrip('.')}." for field, rule in error.fields.items()
    }
