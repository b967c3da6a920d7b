"""CloudWatch Logs: filter patterns, metric filters, and metrics embedded in log lines."""
