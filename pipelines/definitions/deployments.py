"""Where templates and their settings are in the artifacts, and how one stack is deployed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.definitions.actions import EXECUTION, create_change_set, execute_change_set

if TYPE_CHECKING:
    from troposphere.codepipeline import Actions

    from pipelines.definitions.targets import Target

BUILT: Final = "Built"
"""What `buildspec.yml` makes: templates, packages, reports, the docs site."""
PACKAGES: Final = "Packages"
"""What `publish.yml` makes: the packages of this release and the settings of the stacks that run them."""
RECORDED: Final = "Recorded"
"""What the check after staging's deployment makes: the record of what staging ran."""
REVIEWED, REVIEWED_AGAIN = "Reviewed", "Reviewed2"
"""What `evidence.yml` makes: the record of what was reviewed, and the one of a second review."""
NAMED: Final = "Named"
"""What `name.yml` makes: the settings of the branch's stack."""


def template_path(environment: str, stack: str) -> str:
    """Return where `payments synth` puts a template."""
    return f"{BUILT}::dist/templates/{environment}/{stack}.json"


def template_configuration(artifact: str, environment: str, stack: str) -> str:
    """Return where a stack's parameters and tags are (a CodePipeline template configuration file)."""
    return f"{artifact}::dist/settings/{environment}/{stack}.json"


def change_set(purpose: str) -> str:
    """Return a change set's name that no other execution uses; two pushes never execute each other's."""
    return f"{purpose}-{EXECUTION}"


def prepare(target: Target, environment: str, stack: str, name: str, *, purpose: str = "release") -> Actions:
    """Return the action that creates the change set of one stack."""
    return create_change_set(
        f"{purpose.title()}-{stack}",
        target,
        stack=name,
        change_set=change_set(purpose),
        template=template_path(environment, stack),
        settings=template_configuration(PACKAGES, environment, stack),
    )


def execute(target: Target, stack: str, name: str, *, namespace: str | None = None) -> Actions:
    """Return the action that executes the change set of one stack."""
    return execute_change_set(
        f"Deploy-{stack}", target, stack=name, change_set=change_set("release"), namespace=namespace
    )


def deploy_stack(
    target: Target,
    environment: str,
    stack: str,
    name: str,
    *,
    namespace: str | None = None,
) -> tuple[Actions, ...]:
    """Return the actions that create a change set and execute it.

    Args:
        target: The account.
        environment: Whose template and settings.
        stack: `network` or `payments`.
        name: The stack's name there.
        namespace: Where its outputs become variables.
    """
    return (
        prepare(target, environment, stack, name),
        execute(target, stack, name, namespace=namespace),
    )
