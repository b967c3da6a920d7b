"""CodeArtifact: domains and repositories, each served by a package index of its own."""
