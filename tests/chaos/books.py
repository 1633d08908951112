"""Whether a database agrees with itself: policy, tokens, apps, and the audit of how they came to be."""

from collections import Counter
from dataclasses import dataclass

from doorward_server.domain.apps import App
from doorward_server.domain.ids import Revision
from doorward_server.domain.tokens import Token
from doorward_server.services.ports import AppFilter, AuditEvent, AuditFilter, Change, Storage

_ALL = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything, as of one moment."""

    revision: Revision
    changes: list[Change]
    tokens: dict[str, Token]
    apps: dict[str, App]
    events: list[AuditEvent]
    """The oldest first."""

    @classmethod
    async def read(cls, storage: Storage) -> "Books":
        """Read them."""
        async with storage.read() as work:
            head = await work.policy.head()
            changes = await work.policy.since(Revision(0), limit=_ALL)
            tokens = await work.tokens.page(after=None, limit=_ALL)
            apps = await work.apps.page(AppFilter(), after=None, limit=_ALL)
            events = await work.audit.page(AuditFilter(), before=None, limit=_ALL)
        assert changes is not None
        return cls(
            revision=head.revision,
            changes=list(changes),
            tokens={each.token_id: each for each in tokens},
            apps={each.app_id: each for each in apps},
            events=list(reversed(events)),
        )

    def check(self) -> None:
        """Fail when something is there by half."""
        assert [each.revision for each in self.changes] == list(range(1, self.revision + 1))
        by_revision = {each.revision: each.entry for each in self.changes}
        audited = [each for each in self.events if each.revision is not None]
        assert [by_revision[each.revision] for each in audited if each.revision is not None] == [
            each.resource_id for each in audited
        ]
        done = Counter((each.action, each.resource_id) for each in self.events)
        assert max(done.values(), default=0) <= 1, "an action was audited twice"
        for kind, there in (("Token", self.tokens), ("App", self.apps)):
            created = {resource for action, resource in done if action == f"Create{kind}"}
            deleted = {resource for action, resource in done if action == f"Delete{kind}"}
            assert there.keys() == created - deleted
        for token_id, token in self.tokens.items():
            assert token.generation == 1 + done["RegenerateToken", token_id]
        for app_id, app in self.apps.items():
            assert app.labels["group"] == ("Z" if done["UpdateApp", app_id] else "A")
            assert app.status.state.name == ("STOPPED" if done["StopApp", app_id] else "RUNNING")
