"""The rules, one module a family: `check(pipeline)` yields findings, and its first lines say their ids."""
