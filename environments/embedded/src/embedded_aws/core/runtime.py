"""What the services of one running instance share: its folder, its store, its endpoint, its settings."""

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from embedded_aws.core.store import Store

FOLDER = "services"
CACHE_VARIABLE = "EMBEDDED_AWS_CACHE"
FAILING = "failing_creations"
"""The setting that lists creations that shall fail, each `stack/LogicalId`."""
_SETTINGS = "settings.json"
_READINGS = "readings"


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of AWS's documentation that are open to doubt: what leans on one is tried with all.

    A caller of the instance chooses them (`instance.choose_readings`); each default is what AWS's pages
    suggest.

    Attributes:
        rollback_variables: whose variables a stage rollback uses: those of the execution that it goes back to
            (`target`, as the user guide says), or of the one that was last in the stage (`current`).
        rollback_checks_conditions: whether a stage rollback checks the stage's conditions.
        alarm_rule_sees_composites: whether the CloudWatchAlarm rule finds composite alarms. DescribeAlarms
            returns metric alarms alone unless it is asked for both types, so by default it does not: a
            condition that holds here must not be one that AWS cannot check.
    """

    rollback_variables: Literal["target", "current"] = "target"
    rollback_checks_conditions: bool = False
    alarm_rule_sees_composites: bool = False

    def as_setting(self) -> dict[str, Any]:
        """Return {readings: their values by name}, as the settings file of an instance holds them."""
        return {_READINGS: asdict(self)}


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

    def readings(self) -> Readings:
        """Return the readings that this instance follows; they may change while it runs."""
        return Readings(**self.setting(_READINGS, {}))


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
    """Read the settings {minute_seconds?, readings?}; an absent file is empty."""
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
