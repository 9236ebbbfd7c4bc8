"""What several tests share, one subject per module: `from tests.support.redis import RedisServer`."""
