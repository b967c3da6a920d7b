"""Puts the runtime boundary on every role of a stack that pipelines deploy.

The execution role may make no role without it (`execution_permissions.py`). A stack deployed by hand to an
account without pipelines has no boundary to import, so this is done when pipelines synthesize, not in the
templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import ImportValue
from troposphere.iam import Role

from pipelines.definitions.bootstrap_stack import RUNTIME_BOUNDARY

if TYPE_CHECKING:
    from troposphere import Template


def bounded(template: Template, bootstrap_stack: str) -> Template:
    """Return the template with the boundary that the account's bootstrap stack exports on all its roles."""
    for resource in template.resources.values():
        if isinstance(resource, Role):
            resource.PermissionsBoundary = ImportValue(f"{bootstrap_stack}-{RUNTIME_BOUNDARY}")
    return template
