"""How far a change has reached, in the answer and, for REST, in headers."""

from typing import Final

from doorward.v1 import policy_update_pb2
from doorward_server.rpc.calls import answer_with
from doorward_server.rpc.conversion.enums import ENFORCEMENTS
from doorward_server.services.publishing import PolicyUpdate

REVISION_KEY: Final = "doorward-policy-revision"
ENFORCEMENT_KEY: Final = "doorward-enforcement"


def answered(update: PolicyUpdate | None) -> policy_update_pb2.PolicyUpdate | None:
    """The message; also sent as metadata, since REST answers may have the resource alone. None: no change."""
    if update is None:
        return None
    enforcement = (
        policy_update_pb2.ENFORCEMENT_UNSPECIFIED
        if update.enforcement is None
        else ENFORCEMENTS.message(update.enforcement)
    )
    answer_with(REVISION_KEY, str(update.revision))
    answer_with(ENFORCEMENT_KEY, policy_update_pb2.Enforcement.Name(enforcement))
    return policy_update_pb2.PolicyUpdate(revision=update.revision, enforcement=enforcement)
