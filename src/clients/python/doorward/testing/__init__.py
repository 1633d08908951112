"""A real Doorward for the tests of programs that use it. Needs the extra `server`.

    with doorward.testing.server() as server, server.client() as admin:
        app = server.app(labels={"group": "A"})
        issued = admin.tokens.create("ci", role="read-only", region="GRA", selector="group=A")
        assert server.check(app, token=issued.secret).allowed

In pytest, `pytest_plugins = ["doorward.testing.fixtures"]` gives the fixtures `doorward_server` and
`doorward_admin`.
"""

from doorward.testing._platform import Decision
from doorward.testing._server import Server, ServerNotInstalledError, server

__all__ = ["Decision", "Server", "ServerNotInstalledError", "server"]
