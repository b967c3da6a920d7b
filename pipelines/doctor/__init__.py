"""Checks what an installation needs, one thing after the other, and says what to do (`payments doctor`).

A check that could not be made is reported as unknown, never as passed. `stacks.py`,
`network.py`, `quotas.py` and `reachability.py` hold the checks, in the order in which they build on each
other; `run.py` begins with what all of them need and runs them.
"""
