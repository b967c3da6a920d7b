"""Disasters made on the embedded AWS, and mended by the book.

Each drill breaks a payments stack, waits for the alarms that should ring, and then does what the pages of
`docs/operations` say: their command blocks, as written, in a shell that knows nothing but the variables that
the pages name. It ends when every order is at its end, the ledger agrees, smoke passes and no alarm rings.
What a drill ran is recorded in `docs/data/drills.json`, and `make test` holds each block to it. Drills
take minutes: `make drill` runs them. The embedded AWS counts an alarm's minute as six seconds here.
"""
