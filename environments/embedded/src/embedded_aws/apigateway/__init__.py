"""API Gateway: REST APIs, private ones behind their VPC's endpoint, and access logs."""
