"""Fixtures of the embedded AWS's own tests, for those of the house."""

from embedded_workbench import behaving, hurried, make_function, make_workflow, role, stack

__all__ = ["behaving", "hurried", "make_function", "make_workflow", "role", "stack"]
