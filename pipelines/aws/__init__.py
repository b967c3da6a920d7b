"""AWS as commands reach it: accounts, sessions, stacks, change sets, executions, build environment."""
