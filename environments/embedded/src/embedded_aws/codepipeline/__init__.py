"""CodePipeline: executions move through stages, actions do the work with the pipeline's role.

`structure` refuses what AWS refuses in a declaration; `executions` and `action_runs` hold the records;
`stages`, `conditions` and `failures` decide, over the protocol in `stage_actions`; `engine` writes records
and orders work; `performer` does it on threads, with `actions` and `rules`; `state` and `history` show it;
`triggers` starts executions on pushes.
"""
