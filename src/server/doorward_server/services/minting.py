"""Making secrets, and recognising them."""

import hmac
from dataclasses import replace

from doorward_server.domain.credentials import PlatformKey, Secret, mint_secret
from doorward_server.domain.ids import TokenId
from doorward_server.domain.tokens import Generation, Token
from doorward_server.services.hashing import SecretHasher


class Mint:
    """Makes the secrets of tokens under the platform key, and recognises them."""

    def __init__(self, key: PlatformKey, hasher: SecretHasher) -> None:
        self._macs = key.token_macs()
        self._hasher = hasher
        self.key_id = key.key_id
        """The platform key that MACs are made under."""

    async def issue(self, token_id: TokenId, number: int) -> tuple[Secret, Generation]:
        """Make the secret of generation *number*, and what is kept of it.

        Raises `HashingQueueFullError`.
        """
        secret = mint_secret(token_id)
        generation = Generation(
            number=number,
            argon2_hash=await self._hasher.hash(secret),
            mac=self._macs.mac(secret),
            mac_key_id=self.key_id,
        )
        return secret, generation

    def recognise(self, secret: Secret, token: Token) -> Generation | None:
        """The generation of *token* that has this secret, by MAC."""
        mac = self._macs.mac(secret)
        for generation in token.generations:
            if generation.mac_key_id == self.key_id and hmac.compare_digest(generation.mac, mac):
                return generation
        return None

    async def adopt(self, secret: Secret, token: Token) -> Token | None:
        """The token with a MAC under the present key, for a secret whose MAC is of a former key.

        By the Argon2 record, once a secret after the key was rotated. None when the secret is not one of the
        token's. Raises `HashingQueueFullError`.
        """
        for generation in token.generations:
            if generation.mac_key_id == self.key_id:
                continue
            if await self._hasher.verify(generation.argon2_hash, secret):
                fresh = replace(generation, mac=self._macs.mac(secret), mac_key_id=self.key_id)
                generations = (fresh if each is generation else each for each in token.generations)
                return replace(token, generations=tuple(generations))
        return None
