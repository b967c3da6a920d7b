"""Which processes live, while others begin and end: what is gone, or ended and not reaped, does not."""

from collections.abc import Callable, Iterable

import psutil


def living(
    chosen: Callable[[psutil.Process], bool], among: Iterable[psutil.Process] | None = None
) -> list[psutil.Process]:
    """Return the processes that live and are chosen, of all of this machine unless some are given.

    One that ends meanwhile, belongs to somebody else, or lacks what it is chosen by (`KeyError`) is left out.
    """
    candidates = psutil.process_iter() if among is None else among
    return [process for process in candidates if _lives(process, chosen)]


def below(pid: int, chosen: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """Return those of the children of `pid`, and of their children, that live and are chosen."""
    return living(chosen, psutil.Process(pid).children(recursive=True))


def _lives(process: psutil.Process, chosen: Callable[[psutil.Process], bool]) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and chosen(process)
    except (KeyError, psutil.Error, ProcessLookupError):
        return False
