"""CodeStar Notifications: rules that publish pipeline events to SNS topics."""
