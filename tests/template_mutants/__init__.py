"""Every part of every template, dropped or changed in turn, and who notices: the tests of the tests.

`mutations` makes the mutants; `checks` are the quick judges: references, the types' schemas, the linters'
own rules. All else is in the golden file `tests/templates/figures.txt`, which a person reviews; `session`
runs the tests of the templates against a sample of it, in a fork of one pytest, and then cfn-lint. What has
no effect is listed with the reason in `without_effect.yml`.
"""
