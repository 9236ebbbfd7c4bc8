"""All settings, read once, frozen. The only reader of the environment.

Sources, weakest first: the defaults below, the YAML file, ``COUNTERSIGN_<SECTION>_<KEY>`` variables, and the names the
source documents use (``PAYPAL_*``, ``EPHEMERAL_TOKEN_TTL``). ``<NAME>_FILE`` reads a secret from a file, as container
secrets do. Unknown keys, unknown values and contradictions refuse to start, in one line that names the key.
"""

from gateway.settings.model import Settings
from gateway.settings.sources import load_settings

__all__ = ["Settings", "load_settings"]
