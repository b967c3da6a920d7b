"""What an installation needs, examined one thing after the other (`payments doctor`).

Each check says what it found and, where that is not well, what to do. One that could not look says so and is
never taken for a pass. `machine.py`, `accounts.py`, `foundations.py`, `peering.py`, `addresses.py`,
`quotas.py` and `reachability.py` hold the checks, in the order in which they build on each other;
`examination.py` runs them.
"""
