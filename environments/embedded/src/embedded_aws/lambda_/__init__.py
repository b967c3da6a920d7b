"""Lambda: functions in AWS's own runtime client, one clean interpreter per sandbox."""
