"""CodePipeline: executions move through stages, actions do the work with the pipeline's role.

`structure` refuses what AWS refuses in a declaration; `records` says what is kept, `executions` keeps it;
`stages` and `conditions` decide; `engine` writes records and orders work; `performer` does it on threads,
with `actions` and `rules`; `state` and `history` show it; `pushes` starts executions.
"""
