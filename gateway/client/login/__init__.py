"""Getting and keeping an access token for one gateway: OAuth 2.1 as MCP wants it (basic/authorization)."""
