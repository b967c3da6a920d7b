"""Step Functions: definitions, executions, versions and aliases as the API documents them."""
