"""What every room shares: refusals, progress, waiting, retries, folders, names of stacks and tags."""
