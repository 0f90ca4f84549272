"""docs/export.md is true: its Python runs, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "export.md").read_text(encoding="utf-8")


def test_the_blocks_run_one_after_the_other(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "program.py").write_text("\n".join(blocks), encoding="utf-8")
    run = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert run.returncode == 0, run.stdout + run.stderr
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"program.py", "digits.onnx", "digits.stablehlo", "digits.safetensors", "one.onnx"}


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (DOCS / target).exists(), target
