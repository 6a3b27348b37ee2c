"""The node's short primitives under the names that hedgewire asks for; suite_long has the others as well.

The host has the same names over `cryptography`, so that formats and rules are one source.
"""

from hedgenode.crypto.ccm import decrypt, encrypt  # noqa: F401 (for whoever is handed this module)
from hedgenode.crypto.hkdf import expand, extract  # noqa: F401
