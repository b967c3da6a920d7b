"""HOW the system is deployed, as CloudFormation written by Troposphere.

A stack is one `build()` that reads as its table of contents: `network.py` (long-lived, one for each
environment) and `payments.py` (one for each branch, and one each for staging and prod). `capabilities/`
holds what they are composed of: each function adds resources to a template and returns a small handle
of what others may use. `definitions/` holds the state machines, as data.
"""
