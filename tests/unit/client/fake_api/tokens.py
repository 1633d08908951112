"""TokenService of the fake api."""

import secrets
import string
from typing import Any

import grpc
from grpc_status import rpc_status

from doorward.v1 import token_service_pb2 as tokens_pb2
from doorward.v1.role_pb2 import Role
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2_grpc import TokenServiceServicer
from tests.unit.client.fake_api.state import State, not_found
from tests.unit.client.fake_api.values import ADMIN_ID, mint, now, page


class Tokens(TokenServiceServicer):
    """TokenService."""

    def __init__(self, state: State) -> None:
        self.state = state

    def token(self, token_id: str, context: grpc.ServicerContext) -> Token:
        if token_id not in self.state.tokens:
            context.abort_with_status(rpc_status.to_status(not_found("TOKEN_NOT_FOUND", token_id=token_id)))
        return self.state.tokens[token_id]

    def CreateToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("CreateToken", request, context)
        if known := self.state.created.get(request.request_id):
            return tokens_pb2.CreateTokenResponse(token=self.state.tokens[known])
        token = Token()
        token.CopyFrom(request.token)
        token.token_id = "".join(secrets.choice(string.ascii_letters) for _ in range(12))
        token.generation = 1
        token.create_time.CopyFrom(now())
        token.etag = "1"
        self.state.tokens[token.token_id] = token
        self.state.created[request.request_id] = token.token_id
        return tokens_pb2.CreateTokenResponse(token=token, secret=mint(token.token_id))

    def GetToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("GetToken", request, context)
        return tokens_pb2.GetTokenResponse(token=self.token(request.token_id, context))

    def ListTokens(self, request: Any, context: Any) -> Any:
        self.state.arrive("ListTokens", request, context)
        tokens, following = page(list(self.state.tokens.values()), request.page_size, request.page_token)
        return tokens_pb2.ListTokensResponse(tokens=tokens, next_page_token=following)

    def UpdateToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("UpdateToken", request, context)
        token = self.token(request.token.token_id, context)
        for path in request.update_mask.paths:
            token.ClearField(path)
        request.update_mask.MergeMessage(request.token, token)
        return tokens_pb2.UpdateTokenResponse(token=token, policy_update=self.state.narrowed())

    def RegenerateToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("RegenerateToken", request, context)
        token = self.token(request.token_id, context)
        token.generation += 1
        return tokens_pb2.RegenerateTokenResponse(
            token=token, secret=mint(token.token_id), policy_update=self.state.narrowed()
        )

    def DeleteToken(self, request: Any, context: Any) -> Any:
        self.state.arrive("DeleteToken", request, context)
        del self.state.tokens[self.token(request.token_id, context).token_id]
        return tokens_pb2.DeleteTokenResponse(policy_update=self.state.narrowed())

    def PreviewSelector(self, request: Any, context: Any) -> Any:
        self.state.arrive("PreviewSelector", request, context)
        apps, token = page(list(self.state.apps.values()), request.page_size, request.page_token)
        return tokens_pb2.PreviewSelectorResponse(
            canonical_selector=request.label_selector.replace(" ", ""), apps=apps, next_page_token=token
        )

    def ExplainAccess(self, request: Any, context: Any) -> Any:
        self.state.arrive("ExplainAccess", request, context)
        return tokens_pb2.ExplainAccessResponse(
            allowed=False,
            reason="OUT_OF_SCOPE",
            http_status=403,
            rules=[
                tokens_pb2.AccessRule(rule="token", passed=True, detail="live"),
                tokens_pb2.AccessRule(rule="selector", passed=False, detail="group=A does not match group=B"),
            ],
        )

    def WhoAmI(self, request: Any, context: Any) -> Any:
        self.state.arrive("WhoAmI", request, context)
        token = Token(token_id=ADMIN_ID, display_name="me", role=Role.ROLE_ADMIN, generation=1)
        return tokens_pb2.WhoAmIResponse(token=token)
