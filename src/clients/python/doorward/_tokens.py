"""The tokens: what `client.tokens` offers."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from doorward import _token_requests as requests
from doorward._described import call, enforced, whole
from doorward._exceptions import SecretLost
from doorward._operations import Awaiting, Blocking, Listing, Operation, Part, listing, operation
from doorward._timeouts import Timeout
from doorward._token_requests import Expiry
from doorward.v1.app_pb2 import App
from doorward.v1.policy_update_pb2 import PolicyUpdate
from doorward.v1.role_pb2 import Role
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import (
    CreateTokenResponse,
    DeleteTokenResponse,
    ExplainAccessResponse,
    ListTokensResponse,
    PreviewSelectorResponse,
    RegenerateTokenResponse,
    UpdateTokenResponse,
)
from doorward.v1.token_service_pb2_grpc import TokenServiceStub


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token and its new secret, which no later call answers. Its `repr` leaves the secret out."""

    token: Token
    secret: str = field(repr=False)
    policy_update: PolicyUpdate
    """How far the end of the former secret has reached; empty for a token that has just been created."""


class TokenMethods(Part):
    """What can be done with tokens; all of it needs ADMIN.

    Every method raises `doorward.DoorwardError` when its call fails. An answer that holds one thing is that
    thing; one that also says how far the change has reached (see `PolicyUpdate`) is the response of the API.
    """

    @property
    def _stub(self) -> TokenServiceStub:
        return self._calls.stub(TokenServiceStub)

    @operation
    def create(
        self,
        display_name: str,
        *,
        role: Role.ValueType | str,
        region: str = "",
        selector: str | None = None,
        all_apps: bool = False,
        expires: Expiry | None = None,
        request_id: str | None = None,
        timeout: Timeout = None,
    ) -> Operation[IssuedToken]:
        """Create a token for the apps of *region* that match *selector*, or for *all_apps* of them.

        *role* is a value or a name, such as `"read-only"`; ADMIN has no region. *expires* is a time with its
        zone or a length of time from now, on this machine's clock.

        The client repeats the call when the connection breaks. The server answers a repeat without the
        secret, which it does not keep: then `SecretLost` is raised, and `regenerate` gives a new one.
        """
        request = requests.create_token(
            display_name,
            role=role,
            region=region,
            selector=selector,
            all_apps=all_apps,
            expires=expires,
            request_id=request_id,
        )
        return call(self._stub.CreateToken, request, timeout, answer=_created)

    @operation
    def get(self, token_id: str, *, timeout: Timeout = None) -> Operation[Token]:
        """Return one token, without its secret."""
        request = requests.get_token(token_id)
        return call(self._stub.GetToken, request, timeout, answer=lambda answer: answer.token)

    @listing
    def list(self, *, page_size: int = 0, timeout: Timeout = None) -> Listing[Token, ListTokensResponse]:
        """Return the tokens, newest first; *timeout* is for each page."""

        def page(page_token: str) -> Operation[ListTokensResponse]:
            request = requests.list_tokens(page_size=page_size, page_token=page_token)
            return call(self._stub.ListTokens, request, timeout, answer=whole)

        return Listing(page=page, items=lambda page: page.tokens)

    @operation
    def update(
        self,
        token_id: str,
        *,
        display_name: str | None = None,
        expires: Expiry | Literal["never"] | None = None,
        etag: str = "",
        timeout: Timeout = None,
    ) -> Operation[UpdateTokenResponse]:
        """Change a token's name or expiry; an earlier expiry is enforced when this returns."""
        request = requests.update_token(token_id, display_name=display_name, expires=expires, etag=etag)
        return enforced(self._stub.UpdateToken, request, timeout, answer=whole)

    @operation
    def regenerate(
        self,
        token_id: str,
        *,
        grace_period: timedelta | None = None,
        etag: str = "",
        timeout: Timeout = None,
    ) -> Operation[IssuedToken]:
        """Give a token a new secret. The former one is dead when this returns, or after *grace_period*.

        Never repeated by the client: each call makes another secret.
        """
        request = requests.regenerate_token(token_id, grace_period=grace_period, etag=etag)
        return enforced(self._stub.RegenerateToken, request, timeout, answer=_regenerated)

    @operation
    def delete(
        self, token_id: str, *, etag: str = "", timeout: Timeout = None
    ) -> Operation[DeleteTokenResponse]:
        """Delete a token, which is dead when this returns."""
        request = requests.delete_token(token_id, etag=etag)
        return enforced(self._stub.DeleteToken, request, timeout, answer=whole)

    @listing
    def preview(
        self,
        *,
        region: str = "",
        selector: str | None = None,
        all_apps: bool = False,
        page_size: int = 0,
        timeout: Timeout = None,
    ) -> Listing[App, PreviewSelectorResponse]:
        """Return the apps that a scope matches now; its pages also have the selector's canonical form."""

        def page(page_token: str) -> Operation[PreviewSelectorResponse]:
            request = requests.preview_selector(
                region=region,
                selector=selector,
                all_apps=all_apps,
                page_size=page_size,
                page_token=page_token,
            )
            return call(self._stub.PreviewSelector, request, timeout, answer=whole)

        return Listing(page=page, items=lambda page: page.apps)

    @operation
    def explain(
        self, token_id: str, app_id: str, *, method: str = "", path: str = "", timeout: Timeout = None
    ) -> Operation[ExplainAccessResponse]:
        """Return whether a token may make a request, `GET /` by default, and which rule decides."""
        request = requests.explain_access(token_id, app_id, method=method, path=path)
        return call(self._stub.ExplainAccess, request, timeout, answer=whole)


class Tokens(Blocking, TokenMethods):
    __doc__ = TokenMethods.__doc__


class AsyncTokens(Awaiting, TokenMethods):
    __doc__ = TokenMethods.__doc__


def _created(answer: CreateTokenResponse) -> IssuedToken:
    if not answer.secret:
        token_id = answer.token.token_id
        raise SecretLost(
            f"token {token_id} was created by an earlier request, whose answer alone had the secret: "
            "regenerate it to have a new one",
            token_id=token_id,
        )
    return IssuedToken(token=answer.token, secret=answer.secret, policy_update=PolicyUpdate())


def _regenerated(answer: RegenerateTokenResponse) -> IssuedToken:
    return IssuedToken(token=answer.token, secret=answer.secret, policy_update=answer.policy_update)
