"""Finds in CodePipeline definitions what AWS refuses only at run time, and what a release would regret.

`lint_pipelines(paths)` in `linter.py` is the door. `documents.py` reads any CloudFormation template, JSON or
YAML, and plain `create-pipeline` input into the model of `model.py`; each module of `rules/` is one family of
rules over that model; `providers.py` is what the action structure reference says of each provider. It knows
nothing of this repository, so it reads anybody's pipelines.
"""
