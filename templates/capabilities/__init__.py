"""What stacks are composed of: functions, workflow, API, alarms and the rest, one capability a module.

Each is a function `add_…(template, …)` that adds its resources and returns a frozen
handle: what other capabilities may use of it, nothing more. Logical ids derive from a name; physical
names are CloudFormation's to choose, so any number of stacks live side by side.
"""
