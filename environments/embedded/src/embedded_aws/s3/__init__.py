"""S3: what MiniStack keeps of objects."""
