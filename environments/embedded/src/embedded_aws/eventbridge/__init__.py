"""EventBridge and its Scheduler: targets that start pipelines and workflows as their role."""
