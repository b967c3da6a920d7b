"""What the services of one running instance share: its folder, its store, its endpoint, its settings."""

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_aws.core.store import Store

FOLDER = "services"
CACHE_VARIABLE = "EMBEDDED_AWS_CACHE"
_SETTINGS = "settings.json"


@dataclass(frozen=True, slots=True)
class Runtime:
    """One instance's shared things.

    Attributes:
        folder: inside the state folder that MiniStack was told; kept and removed with it.
        endpoint: where every AWS service of this instance answers.
    """

    folder: Path
    store: Store
    endpoint: str
    stopping: threading.Event

    def setting(self, name: str, default: Any) -> Any:
        """Read one setting; the file may change while we run."""
        return read_settings(self.folder).get(name, default)

    def seconds(self, minutes: float) -> float:
        """Turn AWS minutes into seconds here: 60, unless the settings make time quicker."""
        return minutes * float(self.setting("minute_seconds", 60))


_current: list[Runtime] = []


def cache_folder() -> Path:
    """Return the folder of what outlives an instance: interpreters, and packages that were unpacked once.

    The variable names it; else it is the user's own cache folder for this package.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "embedded-aws"


def open_runtime() -> Runtime:
    """Open the state of this process's instance; MiniStack's settings are in the environment already."""
    folder = Path(os.environ["STATE_DIR"]) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _current[:] = [
        Runtime(folder, Store(folder / "store.sqlite"), os.environ["AWS_ENDPOINT_URL"], threading.Event())
    ]
    return _current[0]


def current() -> Runtime:
    """Return what `open_runtime` opened."""
    return _current[0]


def read_settings(folder: Path) -> dict[str, Any]:
    """Read the settings file; an absent one is empty."""
    try:
        settings: dict[str, Any] = json.loads((folder / _SETTINGS).read_text())
    except FileNotFoundError:
        return {}
    return settings


def write_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Replace the settings file, atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{_SETTINGS}.new"
    scratch.write_text(json.dumps(settings, indent=1))
    scratch.replace(folder / _SETTINGS)
