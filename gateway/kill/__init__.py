"""The kill switch: callers, tools, definitions and policy revisions that are stopped, from the next call on."""
