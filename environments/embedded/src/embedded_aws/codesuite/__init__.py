"""CodePipeline, CodeBuild, CodeConnections and CodeArtifact, answering the real API inside the embedded AWS.

`service` takes a request, checks it against botocore's own model and hands it to an operation; operations
keep everything in `store`, a small SQLite file, so that a killed instance finds its executions again.
`codepipeline` moves executions through their stages, `codebuild` runs buildspecs with bash, `connections`
stands for a Git host over local repositories, `codeartifact` for a package index. All work is done through
the instance's own endpoint with the credentials of the roles that the templates name, so a missing permission
shows here and not on AWS.
"""
