"""Where this repository's own files are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout that this code runs from; builds, caches and state live under it, never elsewhere."""

LAMBDAS = ROOT / "lambdas"
SAMPLES = ROOT / "environments" / "samples"
DIST = ROOT / "dist"
CACHE = Path(os.environ.get("PAYMENTS_CACHE") or ROOT / ".cache")
"""What is kept between builds; several checkouts on one machine may share it."""
