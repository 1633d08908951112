"""Paths: what two parsers could read in two ways is refused, and what is left has one meaning."""

import pytest

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.paths import is_ambiguous, is_under, parse_operator_path, path_of


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/admin?x=/../y", "/admin"),
        ("/admin?a?b", "/admin"),
        ("/?", "/"),
        ("?x", ""),
        ("*", "*"),  # OPTIONS *, RFC 9112 §3.2.4
        ("/a#b?c", "/a#b"),  # no request has a fragment: left in, to be refused
    ],
)
def test_the_path_ends_at_the_query(target: str, path: str) -> None:
    """The query never counts, whatever stands in it."""
    assert path_of(target) == path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/admin",
        "/admin/",
        "/a/b.c/d-e_f~g",
        "/models/meta:predict",
        "/v1/projects/x@y/$all",
        "/a,b=c&d'(e)*f!+",
        "/.well-known/openid-configuration",
        "/...hidden",
        "/%61dmin",
        "/a%20b",
        "/stra%C3%9Fe",
        "/%E6%A8%A1%E5%9E%8B",
        "/caf%C3%A9",
        "/cafe%CC%81",  # decomposed, as macOS sends it
        '/"<>[]^`{|}',  # not legal in a URI, yet every parser reads the same
    ],
)
def test_plain_paths_have_one_reading(path: str) -> None:
    """Escapes and Unicode as such are nothing to be afraid of."""
    assert not is_ambiguous(path)


@pytest.mark.parametrize(
    "path",
    [
        # Not a path
        "",
        "*",
        "admin",
        "http://app/admin",  # absolute form, RFC 9112 §3.2.2
        # Segments that some merge and some do not
        "//",
        "//admin",
        "/x//admin",
        "/admin//",
        # Dot segments, RFC 3986 §5.2.4, plain and escaped
        "/.",
        "/./admin",
        "/x/../admin",
        "/x/..",
        "/x/%2e%2e/admin",
        "/x/.%2E/admin",
        # Escaped separators: decoded before or after the path is split?
        "/x%2fadmin",
        "/x%2Fadmin",
        "/x%5cadmin",
        "/admin%3bx",
        "/admin%3Fx",  # CVE-2024-38474, Apache httpd
        "/admin%23x",
        # Separators to some: Windows, servlet path parameters (CVE-2020-1957, Shiro), fragments
        "/x\\admin",
        "/x\\..\\admin",
        "/admin;jsessionid=1",
        "/;/admin",
        "/x/..;/admin",
        "/admin#x",
        # Decoded once or twice?
        "/%2561dmin",
        "/%25%36%31dmin",
        # Broken escapes
        "/%",
        "/%6",
        "/%zz",
        "/%u0061dmin",  # IIS
        "/%6\u0661",
        # Control characters, spaces, and what is not ASCII
        "/admin\0",
        "/admin%00",
        "/admin%0a",
        "/admin%7f",
        "/ad\tmin",
        "/admin ",
        "/\u00e9",
        "/\uff41dmin",
        "/\u2215admin",
        # Dropped by Windows, or by whoever strips
        "/admin.",
        "/admin./x",
        "/admin%20",
        "/%20admin",
        "/admin%20/x",
        # Not UTF-8: an overlong slash and dot (CVE-2000-0884, CVE-2008-2938), Latin-1, a surrogate, cut short
        "/x%c0%afadmin",
        "/x/%c0%ae%c0%ae/admin",
        "/caf%E9",
        "/%ED%A0%80",
        "/%E6%A8",
        # Normalised to a separator (NFKC), or to one in a Windows code page
        "/x%EF%BC%8Fadmin",  # full-width solidus
        "/x%EF%BC%BCadmin",  # full-width reverse solidus
        "/%EF%BC%8E%EF%BC%8E/admin",  # full-width full stops
        "/%E2%80%A5/admin",  # two dot leader
        "/admin%EF%BC%9Bx",  # full-width semicolon
        "/%EF%BC%856%31dmin",  # full-width percent sign
        "/admin%C2%A0",  # no-break space
        "/admin%E3%80%80",  # ideographic space
        # Dropped by HFS+ (CVE-2014-9390)
        "/ad%E2%80%8Cmin",
        "/ad%C2%ADmin",
        "/%EF%BB%BFadmin",
        # Line ends beyond ASCII
        "/admin%C2%85",
        "/admin%E2%80%A8",
    ],
)
def test_paths_with_two_readings_are_told(path: str) -> None:
    """Each of these has been read in two ways by two real parsers."""
    assert is_ambiguous(path)


@pytest.mark.parametrize(
    ("path", "under"),
    [
        ("/admin", True),
        ("/admin/", True),
        ("/admin/x", True),
        ("/Admin", True),
        ("/ADMIN/x", True),
        ("/%61dmin", True),
        ("/%41DMIN", True),
        ("/adm%C4%B1n", True),  # the dotless i, whose upper case is I
        ("/%EF%BD%81dmin", True),  # a full-width a
        ("/admi%E2%81%BF", True),  # a superscript n
        ("/", False),
        ("/administrator", False),
        ("/admi", False),
        ("/x/admin", False),
        ("/admin.json", False),
        ("/admin%20x", False),
        ("/adm%C3%ADn", False),  # another letter
        ("/api/v1", True),
        ("/api/v1/x", True),
        ("/api", False),
        ("/api/v10", False),
    ],
)
def test_prefixes_are_compared_by_segments(path: str, under: bool) -> None:
    """A prefix covers its whole segments, however the path is spelled."""
    assert is_under(path, ["/admin", "/API/v1/"]) is under


@pytest.mark.parametrize("path", ["/", "/x", "/x/y", "/%20x"])
def test_the_root_covers_everything(path: str) -> None:
    """An app with the operator path `/` is for operators alone."""
    assert is_under(path, ["/"])


def test_no_prefix_covers_nothing() -> None:
    """An app without operator paths has none."""
    assert not is_under("/admin", [])


@pytest.mark.parametrize("text", ["/", "/admin", "/Admin/", "/api/v1:purge", "/a+b", f"/{'a' * 255}"])
def test_plain_prefixes_are_accepted(text: str) -> None:
    """An operator path is kept as it was given."""
    assert parse_operator_path(text) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "begin with '/'"),
        ("admin", "begin with '/'"),
        ("https://app/admin", "begin with '/'"),
        (f"/{'a' * 256}", "at most 256 characters, has 257"),
        ("/%61dmin", "plain path"),
        ("/admin?x", "plain path"),
        ("/admin#x", "plain path"),
        ("//admin", "plain path"),
        ("/x/../admin", "plain path"),
        ("/admin;x", "plain path"),
        ("/x\\admin", "plain path"),
        ("/ad min", "plain path"),
        ("/admin\n", "plain path"),
        ("/modèle", "plain path"),
    ],
)
def test_prefixes_with_two_readings_are_refused(text: str, fault: str) -> None:
    """An operator path that could be read in two ways would protect one of them."""
    with pytest.raises(InvalidValueError, match=fault):
        parse_operator_path(text)
