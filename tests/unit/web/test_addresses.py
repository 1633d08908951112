"""Where a browser is led back to: only ever to a path of the same host."""

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.web.addresses import safe_next

PAGE = "http://a.app.gra.localhost:8080/.doorward/login"


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            "/",
            "/x",
            "/x/y?a=b&c=%2F%2Fevil.example",
            "/models/meta%2Fllama",
            "/a//b",
            "/x/?next=//evil.example",
        ),
        *(
            "/caf%C3%A9",
            "/a%20b",
            "/@user/x:y",
            "/.well-known/x",
            "/.doorwardx",
            "/x/.doorward/login",
            "/%7Eme",
        ),
    ],
)
def test_an_apps_own_page_is_gone_back_to(wanted: str) -> None:
    """With its query and escapes, as it was asked for."""
    assert safe_next(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        # Other hosts
        *("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http://evil.example"),
        *("https:evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "", "?x", "#x"),
        # What browsers drop or read as something else
        *("/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "/ /evil.example"),
        *("/\x00", "/\r\nSet-Cookie: a=1", "/\u2028", "/é", "/x\\y", "/x#//evil.example"),
        # Encodings
        *("/%2f/evil.example", "/%2Fevil.example", "/%5cevil.example", "/%255cevil.example"),
        *("/%252fevil.example", "/%25252fevil.example", "/%2525252525252fevil.example", "/%09/evil.example"),
        "/%0d%0aSet-Cookie:a=1",
        # Dot segments
        *(
            "/.//evil.example",
            "/x/..//evil.example",
            "/..//evil.example",
            "/%2e%2e//evil.example",
            "/x/%2e%2e/%2fe",
        ),
        # Doorward's own
        *(
            "/.doorward/login",
            "/.doorward",
            "/.doorward/logout?x",
            "/%2edoorward/logout",
            "/x/../.doorward/login",
        ),
        # Too long
        "/" + "x" * 2048,
    ],
)
def test_everything_else_leads_home(wanted: str) -> None:
    """What any browser, or a server that decodes once too often, could take for another host."""
    assert safe_next(wanted) == "/"


PIECES = st.sampled_from(
    [
        "/",
        "\\",
        ".",
        "..",
        "%2f",
        "%5c",
        "%2e",
        "%25",
        "evil.example",
        "x",
        "?",
        "#",
        "@",
        ":",
        "\t",
        "http:",
        ";",
    ]
)


@given(st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20))
def test_no_text_leads_to_another_host(wanted: str) -> None:
    """Resolved as browsers do, it is the same host's, also when somebody decodes it first."""
    answer = safe_next(wanted)
    assert answer.isascii()
    assert answer.isprintable()
    for _ in range(3):
        assert urlsplit(urljoin(PAGE, answer.replace("\\", "/"))).netloc == urlsplit(PAGE).netloc
        answer = "/" + unquote(answer.partition("?")[0]).removeprefix("/")
