"""The replica's side of the policy stream, without I/O: what it says, and what it does with what it hears."""

import uuid
from collections import deque
from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from doorward_server.check.index import Entries, PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.messages import UnreadableEntryError
from doorward_server.check.remembering import Settling
from doorward_server.domain.ids import AppId, RegionName, Revision, TokenId
from doorward_server.policy.v1 import policy_pb2
from doorward_server.services.boottime import BootClock


class StreamBrokenError(Exception):
    """The control plane sent what this replica cannot follow. The stream must end and begin anew."""


class PolicyFollower:
    """Keeps an index and a lease by the messages of one stream after another.

    A message is applied before it renews the lease: what is announced ahead of an answer is in force before
    the lease that the answer grants. A revision is acknowledged when nothing from before it is remembered.
    """

    def __init__(
        self,
        *,
        index: PolicyIndex,
        lease: Lease,
        region: RegionName | None,
        clock: BootClock,
        display_name: str = "",
        remembered: float = 0.0,
    ) -> None:
        """*display_name*: what people call this replica.

        *remembered*: for how many seconds an allow may be repeated without asking it.
        """
        self._index = index
        self._lease = lease
        self._region = region
        self._display_name = display_name
        self._clock = clock
        self.remembered = remembered
        self._settling = Settling(seconds=remembered, clock=clock)
        self._replica_id = str(uuid.uuid4())
        # The policy in the index.
        self._policy_id = ""
        self._revision = Revision(0)
        # This stream.
        self._sequence = 0
        self._received = 0
        self._unanswered: deque[tuple[int, float]] = deque()
        self._welcome: policy_pb2.Welcome | None = None
        self._snapshot: Entries | None = None
        self._acknowledged = Revision(0)
        self._granted = False

    @property
    def replica_id(self) -> str:
        """The id of this replica, made when its process started."""
        return self._replica_id

    @property
    def revision(self) -> Revision:
        """The revision that the index has; 0: none."""
        return self._revision

    @property
    def owes_acknowledgement(self) -> bool:
        """Whether a message is due at once."""
        return self._acknowledged < self._settling.settled

    @property
    def next_acknowledgement(self) -> float | None:
        """In how many seconds a message will be due; None: not before there is news."""
        return self._settling.time_left

    @property
    def welcomed(self) -> bool:
        """Whether the control plane has taken the hello of this stream."""
        return self._welcome is not None

    @property
    def granted(self) -> bool:
        """Whether this stream has brought the policy of the moment, and a lease with it."""
        return self._granted

    @property
    def heartbeat(self) -> float:
        """Seconds between two messages of this stream, which has been welcomed."""
        return _seconds(self._terms.heartbeat)

    def hello(self) -> policy_pb2.StreamPolicyRequest:
        """Begin a stream: its first message, to be sent at once."""
        self._sequence = self._received = 0
        self._unanswered.clear()
        self._welcome = self._snapshot = None
        self._acknowledged = Revision(0)
        self._granted = False
        self._settling.begin()
        message = self._message(self._revision)
        message.hello.replica_id = self._replica_id
        message.hello.region = self._region or ""
        message.hello.policy_id = self._policy_id
        message.hello.display_name = self._display_name
        return message

    def report(
        self, uses: Iterable[tuple[TokenId, float]] = (), *, goodbye: bool = False
    ) -> policy_pb2.StreamPolicyRequest:
        """The next message, to be sent at once: acknowledgement, heartbeat and uses of tokens in one.

        It says what was reached on *this* stream, for only that is a revision of the policy it streams.
        """
        self._acknowledged = self._settling.settled
        message = self._message(self._acknowledged)
        message.goodbye = goodbye
        for token_id, time in uses:
            message.token_uses.add(token_id=token_id, time=_timestamp(time))
        return message

    def receive(self, response: policy_pb2.StreamPolicyResponse) -> None:
        """Apply a message, then renew the lease by what it answers; raises `StreamBrokenError`."""
        # Before anything is applied: an old message would bring back what a newer one took away.
        self._received += 1
        if response.sequence != self._received:
            raise StreamBrokenError(f"message {response.sequence} came in the place of {self._received}")
        body = response.WhichOneof("body")
        if self.welcomed == (body == "welcome"):
            raise StreamBrokenError("the first message, and no other, must be the welcome")
        size = len(self._index)
        try:
            match body:
                case "welcome":
                    self._take_terms(response.welcome)
                case "snapshot":
                    self._take_part(response.snapshot, Revision(response.revision))
                case "changes":
                    self._apply(response.changes)
        except UnreadableEntryError as error:
            raise StreamBrokenError(str(error)) from None
        if self._may_have_narrowed(response, size):
            self._settling.narrowed()
        if response.revision:
            self._reach(Revision(response.revision))
        if response.answered_sequence:
            self._renew(response.answered_sequence)

    def _may_have_narrowed(self, response: policy_pb2.StreamPolicyResponse, former_size: int) -> bool:
        """Whether something that was allowed before a message may not be allowed after it."""
        match response.WhichOneof("body"):
            case None:
                return False
            case "changes":
                # Additions alone narrow nothing: what was not there opened nothing.
                return len(self._index) - former_size < len(response.changes.changes)
            case _:
                return former_size > 0

    def _message(self, applied: Revision) -> policy_pb2.StreamPolicyRequest:
        self._sequence += 1
        # Before it is sent, so that the lease ends here first.
        self._unanswered.append((self._sequence, self._clock()))
        return policy_pb2.StreamPolicyRequest(sequence=self._sequence, applied_revision=applied)

    def _take_terms(self, welcome: policy_pb2.Welcome) -> None:
        if not welcome.HasField("lease"):
            # Read as a duration of zero, it would be a lease that never ends.
            raise StreamBrokenError("the welcome names no lease")
        self._welcome = welcome
        self._index.set_domains(welcome.region_domains)

    def _take_part(self, part: policy_pb2.Snapshot, revision: Revision) -> None:
        if self._snapshot is None:
            self._snapshot = Entries()
        self._snapshot.put_part(part)
        if part.last:
            entries, self._snapshot = self._snapshot, None
            self._index.replace(entries)
            # A policy of another database may have a lower revision.
            self._revision = revision
            self._policy_id = self._terms.policy_id

    def _apply(self, changes: policy_pb2.Changes) -> None:
        self._must_have_policy()
        for change in changes.changes:
            match change.WhichOneof("entry"):
                case "app":
                    self._index.put_app(change.app)
                case "token":
                    self._index.put_token(change.token)
                case "deleted_app_id":
                    self._index.remove_app(AppId(change.deleted_app_id))
                case "deleted_token_id":
                    self._index.remove_token(TokenId(change.deleted_token_id))
                case "ended_session":
                    self._index.end_session(change.ended_session)
                case _:
                    raise StreamBrokenError("a change of a kind that this version does not know")

    def _reach(self, revision: Revision) -> None:
        self._must_have_policy()
        if revision < self._revision:
            raise StreamBrokenError(f"revision {revision} came after {self._revision}")
        self._revision = revision
        self._settling.reach(revision)

    def _renew(self, answered: int) -> None:
        self._must_have_policy()
        sent_at = None
        while self._unanswered and self._unanswered[0][0] <= answered:
            sent_at = self._unanswered.popleft()[1]
        if sent_at is not None:
            self._lease.renew(sent_at, _seconds(self._terms.lease))
            self._granted = True

    @property
    def _terms(self) -> policy_pb2.Welcome:
        if self._welcome is None:
            raise StreamBrokenError("there was no welcome")
        return self._welcome

    def _must_have_policy(self) -> None:
        """In the index: that of this stream, and whole."""
        if self._terms.policy_id != self._policy_id or self._snapshot is not None:
            raise StreamBrokenError("a change or an answer came before the snapshot was complete")


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def _timestamp(time: float) -> Timestamp:
    return Timestamp(seconds=int(time), nanos=int(time % 1 * 1e9))
