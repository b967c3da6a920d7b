"""The SPDX name of a licence, from the three ways in which packages state it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_CLASSIFIED: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
}
"""Of PyPI's classifiers. `BSD License` does not say which one."""
_WRITTEN: Final = {
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "bsd": "BSD",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "isc": "ISC",
    "mit": "MIT",
    "mit license": "MIT",
    "mpl-2.0": "MPL-2.0",
    "mpl-2.0 and mit": "MPL-2.0 AND MIT",
    "new bsd license": "BSD-3-Clause",
    "psf-2.0": "PSF-2.0",
}
"""Of the free text of older packages, in lower case."""


def spdx(expression: str, classifiers: Iterable[str], written: str) -> str:
    """The licence as an SPDX expression; nothing where a package does not state it in words that we know.

    Args:
        expression: The metadata's License-Expression, which is one already (PEP 639).
        classifiers: Its trove classifiers.
        written: Its License, free text.
    """
    if expression:
        return expression
    exact = _WRITTEN.get(written.strip().lower(), "")
    if exact and exact != "BSD":
        return exact
    of_classifiers = [
        line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: OSI Approved :: ")
    ]
    if of_classifiers:
        return " AND ".join(sorted({_CLASSIFIED.get(name, name) for name in of_classifiers}))
    return exact
