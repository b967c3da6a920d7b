"""CodePipeline: executions move through stages, actions do the work with the pipeline's role.

`structure` refuses what AWS refuses in a declaration; `executions` and `action_runs` hold the records;
`engine` moves an execution on whenever something happened, by the rules in `stages`; `conditions`, `actions`
and `rules` do what takes time, each in a thread of its own; `state` and `history` show it; `triggers` starts
executions on pushes.
"""
