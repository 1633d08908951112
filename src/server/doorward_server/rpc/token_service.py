"""TokenService over gRPC."""

from doorward.v1 import token_pb2, token_service_pb2_grpc
from doorward.v1 import token_service_pb2 as pb
from doorward_server.domain.tokens import Token
from doorward_server.rpc.calls import Context, current_call
from doorward_server.rpc.conversion.app_answers import AppAnswers
from doorward_server.rpc.conversion.pages import fetch_page
from doorward_server.rpc.conversion.token_answers import explanation, token_message
from doorward_server.rpc.conversion.token_requests import (
    TokenRequests,
    parse_question,
    parse_regeneration,
    parse_token_path,
    parse_token_update,
)
from doorward_server.rpc.conversion.updates import answered
from doorward_server.services.access_service import AccessService
from doorward_server.services.clock import Clock
from doorward_server.services.token_service import TokenService


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """Translates between the wire and `services.token_service`, `services.access_service`."""

    def __init__(
        self,
        *,
        tokens: TokenService,
        access: AccessService,
        requests: TokenRequests,
        app_answers: AppAnswers,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._access = access
        self._requests = requests
        self._app_answers = app_answers
        self._clock = clock

    async def CreateToken(self, request: pb.CreateTokenRequest, _context: Context) -> pb.CreateTokenResponse:
        new, request_id = self._requests.create(request)
        token, secret = await self._tokens.create(current_call(), new, request_id=request_id)
        return pb.CreateTokenResponse(
            token=self._message(token), secret="" if secret is None else secret.reveal()
        )

    async def GetToken(self, request: pb.GetTokenRequest, _context: Context) -> pb.GetTokenResponse:
        token = await self._tokens.get(parse_token_path(request.token_id))
        return pb.GetTokenResponse(token=self._message(token))

    async def ListTokens(self, request: pb.ListTokensRequest, _context: Context) -> pb.ListTokensResponse:
        tokens, next_page_token = await fetch_page(
            self._tokens.list, self._message, size=request.page_size, token=request.page_token
        )
        return pb.ListTokensResponse(tokens=tokens, next_page_token=next_page_token)

    async def UpdateToken(self, request: pb.UpdateTokenRequest, _context: Context) -> pb.UpdateTokenResponse:
        token_id, changes = parse_token_update(request)
        token, update = await self._tokens.update(current_call(), token_id, changes, etag=request.token.etag)
        return pb.UpdateTokenResponse(token=self._message(token), policy_update=answered(update))

    async def RegenerateToken(
        self, request: pb.RegenerateTokenRequest, _context: Context
    ) -> pb.RegenerateTokenResponse:
        token_id, grace_period = parse_regeneration(request)
        token, secret, update = await self._tokens.regenerate(
            current_call(), token_id, grace_period=grace_period, etag=request.etag
        )
        return pb.RegenerateTokenResponse(
            token=self._message(token), secret=secret.reveal(), policy_update=answered(update)
        )

    async def DeleteToken(self, request: pb.DeleteTokenRequest, _context: Context) -> pb.DeleteTokenResponse:
        update = await self._tokens.delete(
            current_call(), parse_token_path(request.token_id), etag=request.etag
        )
        return pb.DeleteTokenResponse(policy_update=answered(update))

    async def PreviewSelector(
        self, request: pb.PreviewSelectorRequest, _context: Context
    ) -> pb.PreviewSelectorResponse:
        query = self._requests.preview(request)
        viewer = current_call().caller.role
        apps, next_page_token = await fetch_page(
            lambda page: self._access.preview(page, region=query.region, selector=query.selector),
            lambda app: self._app_answers.app(app, viewer),
            size=request.page_size,
            token=request.page_token,
        )
        return pb.PreviewSelectorResponse(
            canonical_selector="" if query.selector is None else str(query.selector),
            apps=apps,
            next_page_token=next_page_token,
        )

    async def ExplainAccess(
        self, request: pb.ExplainAccessRequest, _context: Context
    ) -> pb.ExplainAccessResponse:
        question = parse_question(request)
        return explanation(await self._access.explain(question.token_id, question.app_id, path=question.path))

    async def WhoAmI(self, _request: pb.WhoAmIRequest, _context: Context) -> pb.WhoAmIResponse:
        return pb.WhoAmIResponse(token=self._message(current_call().caller))

    def _message(self, token: Token) -> token_pb2.Token:
        return token_message(token, now=self._clock())
