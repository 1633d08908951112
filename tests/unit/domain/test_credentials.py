"""Secrets: their form, their check sum, and that they do not show themselves."""

import copy
import hashlib
import pickle
import re
import string
import traceback
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doorward_server.domain.credentials import (
    LENGTH,
    MalformedCredentialError,
    PlatformKey,
    Secret,
    holds_secret,
    mint_secret,
    mint_token_id,
)
from doorward_server.domain.ids import TokenId, parse_token_id

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
TEXT = mint_secret(mint_token_id()).reveal()
SECRET_PART = TEXT[16:59]
KEY = PlatformKey("2026-01", bytes(range(32)))

CHARACTERS = st.characters() | st.sampled_from(BASE62)


def is_secret(text: str) -> bool:
    """Whether *text* parses as a secret."""
    try:
        Secret(text)
    except MalformedCredentialError:
        return False
    return True


def test_a_secret_has_the_documented_form() -> None:
    """65 characters: `dw_`, the token's id, 43 characters of secret and 6 of check sum, all in base 62."""
    token_id = mint_token_id()
    text = mint_secret(token_id).reveal()
    assert len(text) == LENGTH == 65
    form = re.fullmatch(r"dw_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})", text)
    assert form is not None
    assert form[1] == token_id == parse_token_id(token_id) == Secret(text).token_id


def test_the_check_sum_is_the_crc_32_of_all_before_it() -> None:
    """Anybody can write a scanner that tells real tokens from look-alikes."""
    value = 0
    for digit in TEXT[-6:]:
        value = value * 62 + BASE62.index(digit)
    assert value == zlib.crc32(TEXT[:-6].encode())


def test_secrets_do_not_repeat() -> None:
    """Each secret of one token is new, and 43 characters of base 62 hold 256 bits."""
    token_id = mint_token_id()
    assert len({mint_secret(token_id).reveal() for _ in range(100)}) == 100
    assert 62**43 >= 2**256


@given(index=st.integers(0, LENGTH - 1), character=CHARACTERS)
def test_any_one_character_changed_is_refused(index: int, character: str) -> None:
    """A typing error is told before anything is looked up: CRC-32 finds every change within 32 bits."""
    assume(TEXT[index] != character)
    assert not is_secret(TEXT[:index] + character + TEXT[index + 1 :])


@given(index=st.integers(0, LENGTH - 2))
def test_two_neighbours_exchanged_are_refused(index: int) -> None:
    """The other common typing error is found too."""
    assume(TEXT[index] != TEXT[index + 1])
    assert not is_secret(TEXT[:index] + TEXT[index + 1] + TEXT[index] + TEXT[index + 2 :])


@given(index=st.integers(0, LENGTH), character=CHARACTERS)
def test_a_character_too_many_or_too_few_is_refused(index: int, character: str) -> None:
    """A secret that was not copied exactly is refused: also one with a space or a line end."""
    assert not is_secret(TEXT[:index] + character + TEXT[index:])
    assert not is_secret(TEXT[:index] + TEXT[index + 1 :] if index < LENGTH else TEXT[:-1])


@pytest.mark.parametrize(
    "text", ["", "dw_", TEXT.upper(), TEXT.lower(), f"{TEXT}\n", f" {TEXT}", f"Bearer {TEXT}", TEXT * 2]
)
def test_what_is_almost_a_secret_is_refused(text: str) -> None:
    """Parsing is exact: nothing is trimmed and no case is changed."""
    assert not is_secret(text)


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{!r}".format,
        lambda secret: "%s" % secret,  # noqa: UP031 - loggers format so
        lambda secret: f"{[secret]} { ({'secret': secret}) }",
    ],
)
def test_a_secret_shows_its_token_alone(show: Callable[[Secret], str]) -> None:
    """Whatever formats a secret, a log line or a failed assertion, prints the public id."""
    secret = Secret(TEXT)
    shown = show(secret)
    assert secret.token_id in shown
    assert SECRET_PART not in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("holder", [Secret(TEXT), KEY], ids=["secret", "platform key"])
def test_secrets_are_not_pickled(holder: object, protocol: int) -> None:
    """Neither a cache nor a queue between processes can write a secret down."""
    with pytest.raises(TypeError, match="neither pickled nor copied") as refused:
        pickle.dumps(holder, protocol)
    assert SECRET_PART not in str(refused.value)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_secrets_are_not_copied(duplicate: Callable[[object], object]) -> None:
    """What copies whole structures, such as `dataclasses.asdict`, cannot carry a secret off unseen."""
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        duplicate(Secret(TEXT))


def test_a_secret_has_no_attributes_to_list() -> None:
    """`vars`, by which many loggers and serialisers look into objects, finds nothing."""
    with pytest.raises(TypeError):
        vars(Secret(TEXT))


@pytest.mark.parametrize("text", [TEXT[:-1], TEXT[:-1] + "~", f"{TEXT} ", TEXT[::-1]])
def test_a_refusal_does_not_hold_what_was_sent(text: str) -> None:
    """The error for a mistyped secret, traceback and causes included, repeats nothing of it."""
    with pytest.raises(MalformedCredentialError) as refused:
        Secret(text)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value.args)
    assert SECRET_PART not in shown
    assert SECRET_PART[::-1] not in shown


def test_the_whole_secret_is_what_is_hashed() -> None:
    """The MAC is keyed BLAKE2b-256 of all 65 characters, under a key derived for this use alone."""
    secret = Secret(TEXT)
    derived = hashlib.blake2b(b"2026-01", key=KEY.material, person=b"dw-token-mac", digest_size=32).digest()
    assert (
        KEY.token_macs().mac(secret) == hashlib.blake2b(TEXT.encode(), key=derived, digest_size=32).digest()
    )
    assert secret.encode() == TEXT.encode()


def test_macs_are_the_same_each_time() -> None:
    """One object makes many MACs, and none depends on those before it."""
    macs = KEY.token_macs()
    first, second = Secret(TEXT), mint_secret(TokenId(TEXT[3:15]))
    assert macs.mac(first) == macs.mac(first) == KEY.token_macs().mac(first)
    assert macs.mac(first) != macs.mac(second)


@pytest.mark.parametrize(
    "other", [replace(KEY, key_id="2026-02"), replace(KEY, material=bytes(32))], ids=["id", "material"]
)
def test_another_platform_key_makes_other_keys(other: PlatformKey) -> None:
    """Nothing made under one platform key counts under another, also when only the id was changed."""
    secret = Secret(TEXT)
    assert other.token_macs().mac(secret) != KEY.token_macs().mac(secret)
    assert other.stream_key() != KEY.stream_key()
    assert other.page_key() != KEY.page_key()


def test_each_use_has_a_key_of_its_own() -> None:
    """What authenticates replicas cannot forge page tokens, and neither is the platform key itself."""
    keys = {KEY.stream_key(), KEY.page_key(), KEY.material}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


def test_the_platform_key_does_not_show_itself() -> None:
    """Its id is for people; its material never appears, as bytes or as hexadecimal."""
    shown = f"{KEY} {KEY!r} {[KEY]}"
    assert "2026-01" in shown
    assert repr(KEY.material) not in shown
    assert KEY.material.hex() not in shown


@given(before=st.binary(max_size=80), after=st.binary(max_size=80))
def test_a_secret_is_found_anywhere(before: bytes, after: bytes) -> None:
    """Whatever stands around it, a secret in a header is seen."""
    assert holds_secret(before + TEXT.encode() + after)


@pytest.mark.parametrize("raw", [b"", b"dw_", TEXT[:-1].encode(), TEXT.replace("_", "-").encode()])
def test_what_is_no_secret_is_not_found(raw: bytes) -> None:
    """Credentials of the app's own pass."""
    assert not holds_secret(raw)
