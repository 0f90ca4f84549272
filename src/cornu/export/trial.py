"""Reading a program in a separate process first: a malicious one may crash the compiler's parser."""

import contextlib
import os
import re
import signal
import subprocess
import sys

from jax import export

from cornu.core.jax_internals import EXPORTED_CALLS

#: Operations that communicate outside the program.
OUTSIDE = re.compile(r"\bstablehlo\.(infeed|outfeed|send|recv)\b")
CALL = re.compile(r"""custom_call"?\s*@\s*"?([^"(\s]+)|call_target_name\s*=\s*"([^"]*)\"""")
SECONDS, MEMORY = 120, 4 << 30  # limits for reading, plus 50 times the program's size


def read_program(content: bytes) -> export.Exported:
    """Return a program; ValueError if it is rejected (its message goes after the program's name)."""
    try:
        exported = export.deserialize(bytearray(content))
        text = exported.mlir_module()
    except Exception as error:  # whatever the format's parsers raise
        raise ValueError(f"cannot be read: {str(error)[:200]}") from None
    called = {first or second for first, second in CALL.findall(text)} - EXPORTED_CALLS
    if called or OUTSIDE.search(text) or exported.ordered_effects or exported.unordered_effects:
        what = ", ".join(sorted(called)) or "something outside the program"
        raise ValueError(f"calls {what[:200]}: refused.")
    return exported


def read_in_subprocess(content: bytes, what: str) -> None:
    """Read a program in another process; ValueError if that process rejects it or crashes."""
    if not sys.executable:
        raise ValueError(f"{what} cannot be tried in a separate process here: pass trusted=True if you made it.")
    command = [sys.executable, "-P", "-m", "cornu.export.trial"]
    places = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "JAX_PLATFORMS": "cpu"}
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, env=places)
    except subprocess.TimeoutExpired:
        raise ValueError(f"{what} could not be read in {SECONDS} s by the process that tried it: refused.") from None
    if done.returncode == 1 and done.stdout:
        raise ValueError(f"{what} {done.stdout.decode(errors='replace')[:500]}")
    if done.returncode:
        how = _signal_name(-done.returncode) or f"code {done.returncode}"
        raise ValueError(
            f"{what} is damaged or malicious: it crashed the process that tried to read it ({how}). Refused."
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def main() -> int:
    """Read the program from standard input; write to standard output why it is rejected."""
    content = sys.stdin.buffer.read()
    with contextlib.suppress(ImportError, ValueError, OSError):  # no such limits on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (most := MEMORY + 50 * len(content), most))
    try:
        read_program(content)
    except ValueError as error:
        print(str(error).replace("\n", " "))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
