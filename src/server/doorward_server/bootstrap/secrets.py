"""How secrets are hashed."""

from doorward_server.services.hashing import Argon2Cost, SecretHasher
from doorward_server.settings import Settings


def make_hasher(settings: Settings) -> SecretHasher:
    """Makes Argon2id records at the cost that is set. Close it when done."""
    cost = Argon2Cost(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
    )
    return SecretHasher(cost, queue_length=settings.argon2_queue)
