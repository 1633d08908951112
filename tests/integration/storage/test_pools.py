"""How many connections there are to the database."""

from doorward_server.storage import PoolLoad, SqlStorage


def pool_of(storage: SqlStorage, name: str) -> PoolLoad:
    """The pool with this name, or the only one."""
    pools = storage.pools()
    return next((pool for pool in pools if pool.name == name), pools[0])


async def test_connections_in_use_are_counted(storage: SqlStorage) -> None:
    """A unit of work that has read uses one connection, which is idle when the unit ends."""
    assert {pool.name for pool in storage.pools()} in ({"writer", "reader"}, {"all"})
    async with storage.read() as work:
        await work.policy.head()
        assert pool_of(storage, "reader").in_use == 1
        async with storage.read() as another:
            await another.policy.head()
            during = pool_of(storage, "reader")
            assert (during.in_use, during.idle) == (2, 0)
            assert during.size >= 4
    after = pool_of(storage, "reader")
    assert (after.in_use, after.idle) == (0, 2)


async def test_on_sqlite_one_connection_writes(storage: SqlStorage) -> None:
    """Readers have a pool of their own there; on PostgreSQL writers and readers share one."""
    async with storage.write() as work:
        await work.replicas.add("3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11")
        sizes = {pool.name: (pool.size, pool.in_use) for pool in storage.pools()}
    assert sizes in ({"writer": (1, 1), "reader": (4, 0)}, {"all": (10, 1)})
