"""Orders: load samples, place and follow orders, run smoke executions, settle, reconcile."""
