"""The measures as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipelines.status.dora.measures import Measures

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_NOTHING: Final = "nothing to measure"


def told(found: Measures) -> dict[str, str]:
    """Each measure by its name."""
    unrestored = found.failures - found.restored
    lead, restore = duration(found.lead_time_seconds), duration(found.restore_seconds)
    still = f"{unrestored} not restored yet" if unrestored else ""
    return {
        "Deployment frequency": f"{found.per_week:.1f} a week ({found.deployments} in the window)",
        "Lead time for changes": f"{lead} (median of {found.changes})" if lead else _NOTHING,
        "Change failure rate": _NOTHING
        if found.failure_rate is None
        else f"{found.failure_rate:.0%} ({found.failures} of {found.ended})",
        "Time to restore": ", ".join(
            said for said in (f"{restore} (median of {found.restored})" if restore else "", still) if said
        )
        or _NOTHING,
    }


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units, as 2 d 3 h; empty for none."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
