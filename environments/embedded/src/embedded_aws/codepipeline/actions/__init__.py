"""What actions do: one module for each provider, listed in `catalogue`, run by `action_runner`.

A provider gets an `Action` (its resolved configuration, its artifacts, its role's session) and returns an
`Outcome`, raises `ActionFailed`, or returns nothing when somebody else will answer, as an approval does.
"""
