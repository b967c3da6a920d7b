"""What a build of a test's production stage runs: our own check before it deploys, and a comparison after it.

    python production_check.py prepared | compare

Signatures, reviews, packages and the evidence's page are other tests' matter; what is real here is whose
execution it is, what it had changed, and what the prepared change sets would do.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from environments import schema
from pipelines.aws import accounts, build_environment
from pipelines.aws.accounts import Aws
from pipelines.core.refusals import Refused
from pipelines.promotion import checks, records, verification


def main(check: str) -> None:
    """Run a check; the version that is deployed says whether it may be, and whether it compares well."""
    version = Path("version").read_text(encoding="utf-8")
    if check == "compare":
        if "compares badly" in version:
            raise SystemExit("Production does not run what staging ran")
        return
    tools = accounts.connect_tools()
    prod = Aws(schema.load("prod"), tools.endpoint, acting=tools.session)

    def as_approved(*_: object, rollback: bool) -> None:
        if "not as approved" in version and not rollback:
            raise Refused("Production was not changed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_environment, "looking_at", lambda _: prod)
        patch.setattr(checks, "_check_staging", lambda *_: None)
        patch.setattr(records, "read", lambda *_: {})
        patch.setattr(verification, "check_review", lambda *_: [])
        patch.setattr(verification, "check_prepared", as_approved)
        patch.setattr(checks, "_completed", lambda *_: "")
        nothing: Any = SimpleNamespace(built=Path())
        sys.stdout.write(checks._prepared(tools, nothing, nothing) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
