"""CloudFront: a path by which viewers reach a distribution."""
