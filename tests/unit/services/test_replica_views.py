"""How the replicas stand: connection, lag and lease, under a clock that a test moves."""

import math
from collections.abc import Callable

import pytest

from doorward_server.domain.ids import RegionName, Revision
from doorward_server.services.leases import DRIFT, LeaseBook, ReplicaIdentity, ReplicaStream, ReplicaView

LEASE = 30.0
ONE = ReplicaIdentity(replica_id="1", display_name="edge-1/check-0", region=RegionName("GRA"))
TWO = ReplicaIdentity(replica_id="2")


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def nothing() -> None:
    """Nobody listens."""


@pytest.fixture
def clock() -> Clock:
    """The clock of a test."""
    return Clock()


@pytest.fixture
def book(clock: Clock) -> LeaseBook:
    """No replica yet, and nothing announced."""
    return LeaseBook(lease=LEASE, clock=clock, on_progress=nothing)


@pytest.fixture
def only(book: LeaseBook) -> Callable[[], ReplicaView]:
    """How the only replica stands."""

    def look() -> ReplicaView:
        (view,) = book.views()
        return view

    return look


def connect(book: LeaseBook, identity: ReplicaIdentity = ONE) -> ReplicaStream:
    """A replica says hello and is answered."""
    stream = book.open(identity, wake=nothing)
    stream.receive(1)
    stream.pledge()
    return stream


def acknowledge(stream: ReplicaStream, sequence: int, revision: int) -> None:
    """A replica is sent a revision and says that it has applied it."""
    stream.sent(Revision(revision))
    stream.receive(sequence, Revision(revision))


def test_a_replica_that_has_just_connected(
    book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]
) -> None:
    """It lacks what was announced before from when its connection began."""
    book.announce(Revision(3))
    clock.now += 100
    connect(book)
    clock.now += 2
    view = only()
    assert (view.identity, view.connected, view.heard) == (ONE, 2.0, 2.0)
    assert (view.applied, view.behind) == (0, 2.0)
    assert view.lease == pytest.approx(LEASE * DRIFT - 2)


def test_a_replica_that_keeps_up_lacks_nothing(
    book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]
) -> None:
    """Once it has acknowledged all that was announced it is not behind, for however long nothing changes."""
    book.announce(Revision(3))
    stream = connect(book)
    acknowledge(stream, 2, 3)
    clock.now += 500
    assert (only().behind, only().applied, only().heard) == (None, 3, 500.0)


def test_lag_counts_from_when_the_lacking_revision_was_announced(
    book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]
) -> None:
    """Later changes do not make it seem shorter, and heartbeats do not either."""
    stream = connect(book)
    clock.now += 10
    book.announce(Revision(1))
    clock.now += 4
    book.announce(Revision(2))
    stream.receive(2)
    assert (only().behind, only().heard) == (4.0, 0.0)


def test_a_replica_that_keeps_up_with_endless_changes_is_behind_for_one_of_them(
    book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]
) -> None:
    """Where there is always one more change under way, lag is the time of the newest ones, not of all."""
    stream = connect(book)
    book.announce(Revision(1))
    for number in range(1, 100):
        clock.now += 0.5
        book.announce(Revision(number + 1))
        clock.now += 0.5
        acknowledge(stream, number + 1, number)
        behind = only().behind
        assert behind is not None
        assert behind <= 1.0


def test_connecting_anew_does_not_end_a_lag(
    book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]
) -> None:
    """A replica that cannot apply a change and begins stream after stream lags all the time."""
    stream = connect(book)
    book.announce(Revision(1))
    for _ in range(5):
        clock.now += 10
        stream.close()
        stream = connect(book)
    assert only().behind == 50.0


def test_connecting_anew_begins_no_lag_of_long_ago(
    book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]
) -> None:
    """One that had everything and connects anew lacks it from then on, until it says what it has."""
    book.announce(Revision(1))
    stream = connect(book)
    acknowledge(stream, 2, 1)
    clock.now += 500
    stream = connect(book)
    clock.now += 1
    assert (only().behind, only().connected) == (1.0, 1.0)
    acknowledge(stream, 2, 1)
    assert only().behind is None


def test_a_replica_that_is_cut_off(book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]) -> None:
    """It is listed until its lease has run out, and no longer."""
    connect(book).close()
    clock.now += 29
    assert (only().connected, only().heard) == (None, 29.0)
    assert only().lease == pytest.approx(LEASE * DRIFT - 29)
    clock.now += 2
    assert book.views() == []


def test_a_replica_that_says_goodbye_is_listed_no_more(book: LeaseBook) -> None:
    """It decides nothing from then on."""
    stream = connect(book)
    stream.goodbye()
    stream.close()
    assert book.views() == []


def test_the_replicas_of_a_former_server(
    book: LeaseBook, clock: Clock, only: Callable[[], ReplicaView]
) -> None:
    """They may decide for a lease, by what nobody knows here."""
    book.announce(Revision(9))
    book.recall(["1"])
    clock.now += 5
    view = only()
    assert (view.identity, view.connected, view.heard) == (ReplicaIdentity(replica_id="1"), None, None)
    assert (view.applied, view.behind) == (0, 5.0)
    assert view.lease == pytest.approx(LEASE * DRIFT - 5)
    connect(book)
    assert only().identity == ONE


def test_the_order_is_that_of_the_ids(book: LeaseBook) -> None:
    """Whoever connected first."""
    connect(book, TWO)
    connect(book, ONE)
    assert [view.identity for view in book.views()] == [ONE, TWO]


def test_a_lease_of_zero_has_no_end(clock: Clock) -> None:
    """A replica that is connected may decide for ever; one that is cut off is not waited for."""
    book = LeaseBook(lease=0, clock=clock, on_progress=nothing)
    stream = connect(book)
    (view,) = book.views()
    assert view.lease == math.inf
    stream.close()
    assert book.views() == []


def test_how_a_replica_is_called_in_logs() -> None:
    """By its name, where it has one, and its id."""
    assert (str(ONE), str(TWO)) == ("edge-1/check-0 (1)", "2")
