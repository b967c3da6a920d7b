"""API Gateway: private APIs behind their VPC's endpoint, and access logs."""
