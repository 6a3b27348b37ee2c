"""All of the node's primitives under the names that hedgewire asks for. Import it late: it is large."""

from hedgenode.crypto.ccm import decrypt, encrypt  # noqa: F401 (for whoever is handed this module)
from hedgenode.crypto.hkdf import expand, extract  # noqa: F401
from hedgenode.crypto.hpke import export as hpke_export  # noqa: F401
from hedgenode.crypto.hpke import receive_steps as hpke_receive_steps  # noqa: F401
from hedgenode.crypto.hpke import send_steps as hpke_send_steps  # noqa: F401
from hedgenode.crypto.keywrap import unwrap, wrap  # noqa: F401
from hedgenode.crypto.x25519 import public_steps  # noqa: F401
from hedgenode.crypto.x25519 import shared_steps as agree_steps  # noqa: F401
