"""What actions do: one module for each provider, listed in `catalogue`, run by `performing`.

A provider gets an `Action` (its resolved configuration, its artifacts, the hands of its role) and returns an
`Outcome`, raises `ActionFailed`, or returns nothing when somebody else will answer, as an approval does.
"""
