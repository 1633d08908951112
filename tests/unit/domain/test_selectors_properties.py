"""Selectors against an independent evaluation of Kubernetes' rules, over generated spellings."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.selectors import parse_selector
from tests.unit.domain.conditions import Condition

# Few of each, so that keys and values meet; those that are also operators among them.
KEYS = st.sampled_from(["in", "notin", "group", "ovh/id", "a.b-c/D_e.f", "x", "1"])
VALUES = st.sampled_from(["", "in", "notin", "A", "a", "1.2-3_4", "9"])
LABELS = st.dictionaries(KEYS, VALUES)
CONDITIONS = st.one_of(
    st.builds(Condition, KEYS, st.sampled_from(["exists", "absent"])),
    st.builds(Condition, KEYS, st.sampled_from(["=", "==", "!="]), st.tuples(VALUES)),
    st.builds(
        Condition, KEYS, st.sampled_from(["in", "notin"]), st.lists(VALUES, min_size=1, max_size=4).map(tuple)
    ),
)


@st.composite
def spelled(draw: st.DrawFn, condition: Condition) -> str:
    """One of the legal spellings of a condition."""

    def gap() -> str:
        return draw(st.sampled_from(["", "", " ", "\t", "\r\n", "  "]))

    def space() -> str:
        return draw(st.sampled_from([" ", "\t", "\n", "   "]))

    match condition.operator:
        case "exists":
            return f"{gap()}{condition.key}{gap()}"
        case "absent":
            return f"{gap()}!{gap()}{condition.key}{gap()}"
        case "in" | "notin":
            values = ",".join(f"{gap()}{value}{gap()}" for value in condition.values)
            return f"{gap()}{condition.key}{space()}{condition.operator}{gap()}({values}){gap()}"
        case sign:
            return f"{gap()}{condition.key}{gap()}{sign}{gap()}{condition.values[0]}{gap()}"


@st.composite
def selectors(draw: st.DrawFn) -> tuple[list[Condition], str, str]:
    """Conditions, with two texts that say them: in any order, with repeats."""
    conditions = draw(st.lists(CONDITIONS, min_size=1, max_size=6))
    texts = []
    for _ in range(2):
        order = draw(st.permutations(conditions))
        repeats = draw(st.lists(st.sampled_from(conditions), max_size=2))
        texts.append(",".join(draw(spelled(condition)) for condition in [*order, *repeats]))
    return conditions, texts[0], texts[1]


@given(selector=selectors(), labels=LABELS)
def test_a_selector_means_what_its_conditions_mean(
    selector: tuple[list[Condition], str, str], labels: dict[str, str]
) -> None:
    """Parsed from any spelling, a selector matches exactly when all its conditions hold."""
    conditions, text, _ = selector
    assert parse_selector(text).matches(labels) == all(condition.holds(labels) for condition in conditions)


@given(selector=selectors())
def test_all_spellings_have_one_canonical_text(selector: tuple[list[Condition], str, str]) -> None:
    """Order, spaces, repeats and `==` leave no trace, and the canonical text is a fixed point."""
    _, one, other = selector
    canonical = str(parse_selector(one))
    assert str(parse_selector(other)) == canonical
    assert str(parse_selector(canonical)) == canonical


@given(
    text=st.text(alphabet="ab/.-_!=(),<> \t\nin", max_size=40)
    | st.lists(st.sampled_from(["x", "y/z", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", " "])).map(
        "".join
    )
    | st.text(max_size=40)
)
@example(text="x in (")
def test_any_text_is_a_selector_or_is_refused_with_a_column(text: str) -> None:
    """Hostile text parses to a selector with a canonical text, or is refused at a column within it."""
    try:
        selector = parse_selector(text)
    except InvalidValueError as error:
        place = re.match(r"column ([0-9]+): |a selector must have at most 16 requirements", str(error))
        assert place is not None
        assert place[1] is None or 1 <= int(place[1]) <= len(text) + 1
    else:
        assert parse_selector(str(selector)) == selector
