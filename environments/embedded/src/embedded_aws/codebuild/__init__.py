"""CodeBuild: projects, builds that run their buildspec with a real shell in a clean folder, reports.

`service` lists the operations; `projects`, `reports` and `records` (of builds) hold what is kept; `builds`
answers for builds; `runner` takes one build through its phases with the help of `buildspec` (what is asked),
`sources` (what comes in), `environment` (what the shell sees), `shell` (who runs it, and the log that
follows) and `outputs` (what goes out, and what is cached).
"""
