"""Somebody with a browser, as Envoy and the login pages see them."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.e2e.support.raw_http import Answer, Headers, exchange

NAVIGATION = (
    ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("Sec-Fetch-Site", "none"),
    ("Sec-Fetch-Mode", "navigate"),
)
SESSION = "__Host-doorward"
FORM = "__Host-doorward-login"


@dataclass
class Visitor:
    """Keeps the cookies of one app's host."""

    address: tuple[str, int]
    """Envoy's."""
    host: str
    """The app's, with Envoy's port."""
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, target: str, *, headers: Headers = (), body: bytes | None = None) -> Answer:
        """Send a request with the cookies, and keep those that come back."""
        pairs = [*headers]
        if self.cookies:
            pairs.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        answer = exchange(self.address, method, target, host=self.host, headers=pairs, body=body)
        for each in answer.all("set-cookie"):
            pair, _, attributes = each.partition(";")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def go(self, target: str) -> Answer:
        """Type an address."""
        return self.send("GET", target, headers=NAVIGATION)

    def fetch(self, target: str, *, method: str = "GET", headers: Headers = ()) -> Answer:
        """What a script of the app's own page does."""
        own = (("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors"))
        return self.send(method, target, headers=[*own, *headers])

    def submit(self, page: Answer, *, headers: Headers = (), **fields: str) -> Answer:
        """Fill a page's form in and send it."""
        text = page.body.decode()
        (action,) = re.findall(r'action="([^"]*)"', text)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', text))
        hidden = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
        return self.send_form(action, {**hidden, **fields}, headers=headers)

    def send_form(self, action: str, fields: dict[str, str], *, headers: Headers = ()) -> Answer:
        """Send a form as a page of this host does."""
        sent = [
            ("Origin", f"http://{self.host}"),
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ]
        return self.send("POST", action, headers=[*sent, *headers], body=urlencode(fields).encode())

    def log_in(self, token: str, target: str = "/") -> Answer:
        """From an address to the app behind it; answers what Connect does."""
        sent = self.go(target)
        assert sent.status == 303, sent
        page = self.go(sent.all("location")[0])
        assert page.status == 200, page
        return self.submit(page, token=token)

    def log_out(self) -> Answer:
        """By the page that offers it."""
        return self.submit(self.go("/.doorward/logout"))

    @property
    def session(self) -> str:
        """The session's credential."""
        return self.cookies[SESSION]
