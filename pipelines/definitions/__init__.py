"""HOW releases happen: the promotion pipelines as CloudFormation written by Troposphere.

Two stacks. `pipelines_stack.py`, in the tools account: four pipelines and what they work with. And
`bootstrap_stack.py`, in every target account: the roles that the pipelines assume there, and the boundary
that holds them. `actions.py` and `pipeline.py` are the words that a pipeline is written in; `tools.yml` says
where the pipelines live. Both stacks are deployed by `payments pipeline deploy` and never by a release,
because a pipeline that rewrites itself can no longer roll back.
"""
