"""The command line `payments`: one module for each group of commands, each a thin layer over the other rooms.

Results go to standard output (as JSON with --json), progress and messages to standard error. A command ends
with 0 when it did what was asked, 1 when it was refused or failed, 2 when it was called wrongly.
"""
