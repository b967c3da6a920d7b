"""What every room shares: refusals, progress, the repository's folders, retries, names of stacks and tags."""
