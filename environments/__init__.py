"""WHERE the system runs: a schema, one YAML file for each environment, and rules that refuse a wrong one.

A refusal names file, key and rule. `embedded/` is the AWS that runs on your own machine.
"""
