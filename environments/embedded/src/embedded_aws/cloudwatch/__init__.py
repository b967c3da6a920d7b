"""CloudWatch: alarms over periods with metric math, composite alarms, and the services' own metrics."""
