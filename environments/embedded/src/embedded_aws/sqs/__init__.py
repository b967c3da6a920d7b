"""SQS, as far as other services use its queues."""
