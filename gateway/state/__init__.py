"""What must survive a restart and be seen by every process: one small protocol, SQLite and Redis behind
it."""
