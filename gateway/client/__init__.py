"""The local side: the stdio bridge, its sign-in, the configuration of hosts. Knows no room of the server."""
