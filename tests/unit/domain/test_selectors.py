"""Selectors: what is accepted, what it matches, and how refusals read."""

from collections.abc import Mapping

import pytest

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.selectors import (
    MAX_LENGTH,
    MAX_REQUIREMENTS,
    Selector,
    parse_scope_selector,
    parse_selector,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        # k8s.io/apimachinery/pkg/labels, selector_test.go: TestSelectorParse
        ("x=a,y=b,z=c", "x=a,y=b,z=c"),
        ("", ""),
        ("x!=a,y=b", "x!=a,y=b"),
        ("x=", "x="),
        ("x= ", "x="),
        ("x=,z= ", "x=,z="),
        ("x= ,z= ", "x=,z="),
        ("!x", "!x"),
        # TestDeterministicParse
        ("x=a,a=x", "a=x,x=a"),
        ("a=x,x=a", "a=x,x=a"),
        # TestSetSelectorParser
        ("\rx", "x"),
        ("this-is-a-dns.domain.com/key-with-dash", "this-is-a-dns.domain.com/key-with-dash"),
        (
            "this-is-another-dns.domain.com/key-with-dash in (so,what)",
            "this-is-another-dns.domain.com/key-with-dash in (so,what)",
        ),
        (
            "0.1.2.domain/99 notin (10.10.100.1, tick.tack.clock)",
            "0.1.2.domain/99 notin (10.10.100.1,tick.tack.clock)",
        ),
        ("foo  in\t (abc)", "foo=abc"),
        ("x notin\n (abc)", "x!=abc"),
        ("x  notin\t\t\t(abc,def)", "x notin (abc,def)"),
        ("x in (abc,def)", "x in (abc,def)"),
        ("x in (abc,)", "x in (,abc)"),
        ("x in ()", "x="),
        ("x notin (abc,,def),bar,z in (),w", "bar,w,x notin (,abc,def),z="),
        ("x,y in (a)", "x,y=a"),
        ("x=a,y!=b,z in (h,i,j)", "x=a,y!=b,z in (h,i,j)"),
        ("x notin ( )", "x!="),
        ("x notin (, a)", "x notin (,a)"),
        ("a ", "a"),
        ("a in (x,y,notin, z,in)", "a in (in,notin,x,y,z)"),  # operators among the values
        # TestSelectorMatches, TestRequirementConstructor
        ("notin=in", "notin=in"),
        ("1foo in (bar)", "1foo=bar"),
        ("1234 in (bar)", "1234=bar"),
        # Words that are keys where a key stands
        ("in", "in"),
        ("!notin", "!notin"),
        ("in in (in)", "in=in"),
        # What two spellings share
        ("x==a", "x=a"),
        ("x in (a,a)", "x=a"),
        ("x in (b,a)", "x in (a,b)"),
        ("x=a,x=a,x==a", "x=a"),
        ("! x", "!x"),
        ("y,!x,x notin (a),x=b,x", "x,!x,x=b,x!=a,y"),
    ],
)
def test_legal_selectors_have_one_canonical_text(text: str, canonical: str) -> None:
    """What Kubernetes accepts is accepted, and stored in one text that means the same."""
    assert str(parse_selector(text)) == canonical
    assert parse_selector(canonical) == parse_selector(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        # k8s.io/apimachinery/pkg/labels, selector_test.go: TestSelectorParse
        ("x=a||y=b", 3),
        ("x==a==b", 5),
        ("!x=a", 3),
        # TestSetSelectorParser
        (",x,y", 1),
        ("x nott in (y)", 3),
        ("a in (xyz),", 12),
        ("a in (xyz)b notin ()", 11),
        ("a in (xyz abc)", 11),
        ("a notin(", 9),
        ("a (", 3),
        ("(", 1),
        # TestRequirementConstructor: longer than a name may be
        ("a" * 254, 1),
        # Numeric comparison is the one part of Kubernetes' grammar that is left out.
        ("x>1", 2),
        ("x<7", 2),
        # Beyond
        (",", 1),
        ("x,", 3),
        ("x,,y", 3),
        ("x=,", 4),
        ("!", 2),
        ("!!x", 2),
        ("!x in (a)", 4),
        ("x in", 5),
        ("x in a", 6),
        ("x in (a", 8),
        ("x in (a))", 9),
        ("x in (a,(b))", 9),
        ("x =! a", 4),
        ("x!==a", 4),
        ("x===a", 4),
        ("x=a b", 5),
        ("x=a y=b", 5),
        ("x IN (a)", 3),
        ("X Y", 3),
        ("x=a;y=b", 3),
        ("x\0", 1),  # ends the text for Kubernetes' lexer, not for this one
        ("x\u00a0=a", 1),  # a space to people, not to the grammar
        ("é=a", 1),
        ("Ovh/id=a", 1),
        ("x=-", 3),
        ("x in (ok, -bad)", 11),
        ("  x  =  -", 9),
    ],
)
def test_refusals_point_at_the_column(text: str, column: int) -> None:
    """What Kubernetes refuses is refused, with the 1-based column of the first fault."""
    with pytest.raises(InvalidValueError, match=rf"^column {column}: "):
        parse_selector(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x y", "column 3: expected one of '=', '==', '!=', 'in', 'notin', ',', found 'y'"),
        ("x=a y", "column 5: expected ',' or the end, found 'y'"),
        ("x in a", "column 6: expected '(', found 'a'"),
        ("x in (a", "column 8: expected ',' or ')', found the end"),
        ("=a", "column 1: expected a key, found '='"),
        ("x>1", "column 2: '>' is not part of the selector grammar"),
    ],
)
def test_refusals_say_what_was_expected(text: str, message: str) -> None:
    """A person can repair the selector from the error alone."""
    with pytest.raises(InvalidValueError) as refused:
        parse_selector(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        # k8s.io/apimachinery/pkg/labels, selector_test.go: TestSelectorMatches
        ("", {"x": "y"}, True),
        ("x=y", {"x": "y"}, True),
        ("x=y,z=w", {"x": "y", "z": "w"}, True),
        ("x!=y,z!=w", {"x": "z", "z": "a"}, True),
        ("notin=in", {"notin": "in"}, True),
        ("x", {"x": "z"}, True),
        ("!x", {"y": "z"}, True),
        ("x=z", {}, False),
        ("x=y", {"x": "z"}, False),
        ("x=y,z=w", {"x": "w", "z": "w"}, False),
        ("x!=y,z!=w", {"x": "z", "z": "w"}, False),
        ("x", {"y": "z"}, False),
        ("!x", {"x": "z"}, False),
        ("foo=bar", {"foo": "bar", "baz": "blah"}, True),
        ("baz=blah", {"foo": "bar", "baz": "blah"}, True),
        ("foo=bar,baz=blah", {"foo": "bar", "baz": "blah"}, True),
        ("foo=blah", {"foo": "bar", "baz": "blah"}, False),
        ("baz=bar", {"foo": "bar", "baz": "blah"}, False),
        ("foo=bar,foobar=bar,baz=blah", {"foo": "bar", "baz": "blah"}, False),
        # TestRequirementSelectorMatching
        ("x in (foo),y notin (alpha)", {"x": "foo", "y": "baz"}, True),
        ("x in (foo),y in (alpha)", {"x": "foo", "y": "baz"}, False),
        ("x notin (),y", {"y": ""}, True),
        ("!x,y", {"y": ""}, True),
        ("x notin (),!y", {"y": ""}, False),
        ("x in ()", {"y": "baz"}, False),
        # An absent label and an empty one are not the same.
        ("x=", {"x": ""}, True),
        ("x=", {}, False),
        ("x!=", {"x": ""}, False),
        ("x!=", {}, True),
        # Keys and values are case-sensitive.
        ("x=a", {"x": "A"}, False),
        ("x=a", {"X": "a"}, False),
        # A contradiction is legal, and matches nothing.
        ("x=a,x=b", {"x": "a"}, False),
    ],
)
def test_matching_follows_kubernetes(text: str, labels: Mapping[str, str], matches: bool) -> None:
    """A selector matches the labels that it matches in Kubernetes."""
    assert parse_selector(text).matches(labels) is matches


def test_there_may_be_16_requirements() -> None:
    """The limit is inclusive and counts what was written, repeats too."""
    assert len(parse_selector(",".join(f"k{n}" for n in range(MAX_REQUIREMENTS))).requirements) == 16
    with pytest.raises(InvalidValueError, match="at most 16 requirements, has 17"):
        parse_selector(",".join(["k"] * 17))


def test_there_may_be_4096_characters() -> None:
    """The limit is inclusive, and is looked at before anything is parsed."""
    assert parse_selector("x" + " " * (MAX_LENGTH - 1)) == parse_selector("x")
    with pytest.raises(InvalidValueError, match="at most 4096 characters, has 4097"):
        parse_selector("," + " " * MAX_LENGTH)


def test_what_is_stored_can_be_parsed_again() -> None:
    """A selector whose canonical text is longer than itself is held to the limit too."""
    values = ",".join(f"v{number:04}" for number in range(683))[: MAX_LENGTH - len("x in()")]
    crammed = f"x in({values})"
    assert len(crammed) <= MAX_LENGTH < len(f"x in ({values})")
    with pytest.raises(InvalidValueError, match="at most 4096 characters, has 4097"):
        parse_selector(crammed)


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_scope_is_refused(text: str) -> None:
    """A token for every app has to be asked for; an empty filter matches everything."""
    assert parse_selector(text) == Selector()
    with pytest.raises(InvalidValueError, match="all_apps"):
        parse_scope_selector(text)


@pytest.mark.parametrize("text", ["!x", "x!=a", "x notin (a,b)", "!x,y!=b,z notin (c)"])
def test_a_scope_of_negative_requirements_alone_is_refused(text: str) -> None:
    """It would open every app that nobody thought of; as a filter it is fine."""
    assert parse_selector(text).requirements
    with pytest.raises(InvalidValueError, match="at least one requirement that names a label"):
        parse_scope_selector(text)


@pytest.mark.parametrize("text", ["x", "x=a", "x in (a,b)", "x=,!y", "!x,y!=b,z"])
def test_a_scope_with_a_positive_requirement_is_accepted(text: str) -> None:
    """One requirement that names a label an app has is enough."""
    assert parse_scope_selector(text) == parse_selector(text)
