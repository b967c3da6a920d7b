"""What another version of MiniStack breaks: `make embedded-compat MINISTACK="1.5.32 1.5.30"`.

Each version gets an environment of its own, with this package's wheel; in it the private names are looked up,
and a stranger's pipeline and function are run (`stranger.py`). One line of a table for each version.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_NAMES = "from embedded_aws.core import ministack_names as n; print(*n.missing(), sep='\\n')"


def main(uv: str, versions: list[str]) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="embedded-compat-") as scratch:
        folder = Path(scratch)
        _run(uv, "build", "--quiet", "--wheel", "--out-dir", folder, _PACKAGE)
        (wheel,) = folder.glob("*.whl")
        print("| MiniStack | private names it lacks | a stranger's pipeline and function |")  # noqa: T201
        print("|---|---|---|")  # noqa: T201 - the table is the output
        for version in versions:
            missing, stranger = _tried(uv, wheel, folder / version, version)
            print(f"| {version} | {missing} | {stranger} |", flush=True)  # noqa: T201 - as above


def _tried(uv: str, wheel: Path, folder: Path, version: str) -> tuple[str, str]:
    python = folder / "environment" / "bin" / "python"
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder / "environment")
    overrides = folder / "overrides.txt"
    # Each version pins a botocore of its own.
    overrides.write_text(f"ministack=={version}\nboto3\n")
    installed = _run(uv, "pip", "install", "--quiet", "--python", python, "--overrides", overrides, wheel)
    if installed.returncode:
        return "cannot be installed", installed.stderr.strip().splitlines()[-1]
    names = _run(python, "-c", _NAMES)
    missing = names.stdout.splitlines() if names.returncode == 0 else [names.stderr.strip().splitlines()[-1]]
    (folder / "stranger").mkdir()
    stranger = _run(python, Path(__file__).with_name("stranger.py"), folder / "stranger")
    words = "works" if stranger.returncode == 0 else stranger.stderr.strip().splitlines()[-1]
    if "MiniStackUnsuitable" in words:
        words = "the start is refused"
    return ", ".join(f"`{name}`" for name in missing) or "none", words


def _run(*command: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
