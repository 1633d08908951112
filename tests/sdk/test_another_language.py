"""What docs/how-to/another-language.md says of one more language, done."""

import subprocess
from pathlib import Path

import yaml

from tests.sdk.support.building import ROOT, example, require
from tools.toolchains import TOOLCHAINS

PAGE = ROOT / "docs" / "how-to" / "another-language.md"


def test_one_more_block_is_one_more_language(tmp_path: Path) -> None:
    """The block on the page, added to buf.gen.yaml, gives the public API in C#, and nothing internal."""
    require("java")  # which brings protoc
    TOOLCHAINS["java"].prepare()
    whole = yaml.safe_load((ROOT / "buf.gen.yaml").read_text(encoding="utf-8"))
    (block,) = yaml.safe_load(example(PAGE, "yaml"))
    template = tmp_path / "buf.gen.yaml"
    template.write_text(
        yaml.safe_dump({**whole, "plugins": [{**block, "out": str(tmp_path / "csharp")}]}), encoding="utf-8"
    )
    subprocess.run([".venv/bin/python", "tools/google_protos.py"], cwd=ROOT, check=True)
    subprocess.run([".venv/bin/buf", "generate", "--template", template], cwd=ROOT, check=True)
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "csharp").rglob("*.cs")}
    protos = (ROOT / "protos" / "doorward" / "v1").glob("*.proto")
    assert set(made) == {f"{path.stem.title().replace('_', '')}.cs" for path in protos}
    assert "public sealed partial class Token " in made["Token.cs"]
