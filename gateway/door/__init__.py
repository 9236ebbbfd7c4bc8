"""Room 1: bytes -> ToolCall, and answers -> bytes."""
