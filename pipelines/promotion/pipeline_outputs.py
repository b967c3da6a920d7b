"""The pipelines by the words that people use, and the outputs of the pipelines stack that name them."""

from __future__ import annotations

from typing import Final

OUTPUTS: Final = {
    "branch": "BranchPipelineName",
    "release": "ReleasePipelineName",
    "remove-branch": "RemoveBranchPipelineName",
    "expire": "ExpiryPipelineName",
}
"""A pipeline's word, and the output that holds its name."""
