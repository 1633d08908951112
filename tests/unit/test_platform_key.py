"""The file of the platform key."""

from pathlib import Path

import pytest

from doorward_server.platform_key import PlatformKeyError, ensure_platform_key, load_platform_key


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """A new key is of mode 0600 and 32 bytes; the next start reads the same."""
    path = tmp_path / "platform-key"
    made = ensure_platform_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made.material) == 32
    assert ensure_platform_key(path) == load_platform_key(path) == made


def test_two_keys_differ(tmp_path: Path) -> None:
    """Keys are random."""
    assert ensure_platform_key(tmp_path / "a").material != ensure_platform_key(tmp_path / "b").material


def test_a_missing_key_is_told(tmp_path: Path) -> None:
    """Whoever only reads the key learns what makes it."""
    with pytest.raises(PlatformKeyError, match="doorward init"):
        load_platform_key(tmp_path / "platform-key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    """The error names the file, its mode and what mends it."""
    path = tmp_path / "platform-key"
    ensure_platform_key(path)
    path.chmod(mode)
    with pytest.raises(PlatformKeyError, match=f"{mode:04o}.*chmod 600"):
        ensure_platform_key(path)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"key_id": "a", "key": "zz"}', '{"key_id": "a", "key": "00"}']
)
def test_what_is_no_key_is_refused_and_not_shown(content: str, tmp_path: Path) -> None:
    """A damaged file is refused, never overwritten, and its content not repeated."""
    path = tmp_path / "platform-key"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(PlatformKeyError, match="is not a platform key") as refused:
        ensure_platform_key(path)
    assert path.read_text() == content
    assert "zz" not in str(refused.value)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link in the key's place is refused."""
    ensure_platform_key(tmp_path / "real")
    (tmp_path / "platform-key").symlink_to(tmp_path / "real")
    with pytest.raises(PlatformKeyError, match="cannot read"):
        load_platform_key(tmp_path / "platform-key")


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    """A key's own text has its id alone."""
    key = ensure_platform_key(tmp_path / "platform-key")
    assert key.material.hex() not in repr(key)
    assert key.key_id in repr(key)
