"""A pytest plugin: everything loads the sample environments beside this file, not the checkout's own.

`make check`, which a build runs, and `make test` test the code with it: what tests expect of accounts,
networks and databases is what the samples say, while the checkout's files are an adopter's and say something
else. Those are judged by `payments lint`, and by the rehearsals of whoever changes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from environments import file_names, schema, tools

FOLDER: Final = Path(__file__).with_name("environments")

file_names.FOLDER = FOLDER
schema.FOLDER = FOLDER
schema.load.__defaults__ = (FOLDER,)
tools.FILE = FOLDER / tools.FILE.name
tools.load.__defaults__ = (tools.FILE,)
