"""CloudFormation: resource types that MiniStack lacks, service roles, and stacks cut off by a stop."""
