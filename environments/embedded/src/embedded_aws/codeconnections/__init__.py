"""CodeConnections, and its old name CodeStar Connections, over local git repositories."""
