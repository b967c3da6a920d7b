"""WHERE the system runs.

One schema (`schema.py`), one YAML file for each environment, and rules that refuse a wrong file with
file, key and rule. `embedded/` is the AWS that runs on your own machine.
"""
