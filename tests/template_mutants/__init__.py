"""Every part of every template, dropped or changed in turn, and who notices: the tests of the tests.

`mutations` makes the mutants; `checks` are the quick judges: references, the types' schemas, the linters' own
rules; `session` runs the tests of the templates against each mutant, in a fork of one pytest, and cfn-lint on
what they let pass. What nobody can notice is listed with the reason in `without_effect.yml`.
"""
