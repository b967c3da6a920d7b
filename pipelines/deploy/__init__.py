"""Deploys stacks: templates written out, parameters filled in, and the pipelines themselves put in place."""
