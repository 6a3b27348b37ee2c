"""EDHOC (RFC 9528): two sides agree on a secret and show which keys they hold. Knows messages and their order only.

Method 3 (both sides with a static key to agree with), credentials named by `kid`, messages 1 to 4. Whose turn it is
stands in the state of an Initiator or a Responder; each message is taken once. What comes from the other side and is
not what it must be is Damage, and the exchange is over: nothing that was derived in it is used.

The primitives come as a `suite`, so that host and node run the same lines:
    number                                        of the cipher suite; G_X has 32 bytes in all of ours
    hash(data), extract(salt, secret), expand(key, info, count)             SHA-256, HKDF
    encrypt(key, nonce, message, associated), decrypt(...)                  AES-CCM-16-64-128, None if it does not fit
    agree_steps(secret, public)                   what both agree on: 32 bytes, or None for a public key of no use
Names that end in `_steps` are generators: an agreement takes a board half a second, in which others want their turn.

A side is (secret, kid, credential): its static secret, its name, and the bytes of its credential (`raw_key`).
"""

from hedgewire import cbor
from hedgewire.cbor import Broken, Damage, Reader

METHOD = 3
KEY_BYTES = 32
MAC_BYTES = 8
_HASH_BYTES = 32
_AEAD_KEY_BYTES = 16
_NONCE_BYTES = 13
# Labels of the key schedule, figure 6 of the RFC.
KEYSTREAM_2, SALT_3E2M, MAC_2, K_3, IV_3, SALT_4E3M, MAC_3, PRK_OUT, K_4, IV_4, PRK_EXPORTER = range(11)
_BYTES = 2
_ARRAY = 4


def raw_key(kid: bytes, public: bytes) -> bytes:
    """A credential that is nothing but an X25519 key: a CWT claims set with a COSE_Key (RFC 8392, 8747, 9053)."""
    return cbor.encode({8: {1: {1: 1, 2: kid, -1: 4, -2: public}}})


def derive(suite, secret: bytes, label: int, context: bytes, count: int) -> bytes:
    """EDHOC_KDF, section 4.1.2."""
    return suite.expand(secret, cbor.encode(label) + cbor.encode(context) + cbor.encode(count), count)


def transcript(suite, before: bytes, *raw: bytes) -> bytes:
    """The hash of a byte string and of what follows it as it stands (TH_2 to TH_4)."""
    return suite.hash(cbor.encode(before) + b"".join(raw))


def seal(suite, secret: bytes, labels, th: bytes, plaintext: bytes) -> bytes:
    """The ciphertext of message 3 or 4; labels: those of its key and of its nonce (section 5.4.2)."""
    key, nonce = _key_and_nonce(suite, secret, labels, th)
    return suite.encrypt(key, nonce, plaintext, cbor.encode(("Encrypt0", b"", th)))


def unseal(suite, secret: bytes, labels, th: bytes, ciphertext: bytes) -> "bytes | None":
    """What `seal` sealed, or None."""
    key, nonce = _key_and_nonce(suite, secret, labels, th)
    return suite.decrypt(key, nonce, ciphertext, cbor.encode(("Encrypt0", b"", th)))


def _key_and_nonce(suite, secret, labels, th):
    key = derive(suite, secret, labels[0], th, _AEAD_KEY_BYTES)
    return key, derive(suite, secret, labels[1], th, _NONCE_BYTES)


# ---- pieces of messages


def _is_short(raw) -> bool:
    """Whether these bytes are themselves the encoding of a number from -24 to 23 (section 3.3.2)."""
    return len(raw) == 1 and (raw[0] < 0x18 or 0x20 <= raw[0] < 0x38)


def identifier(raw: bytes) -> bytes:
    """A connection identifier or a kid, as it stands in a message."""
    return bytes(raw) if _is_short(raw) else cbor.encode(raw)


def _read_identifier(reader) -> bytes:
    at = reader.at
    number = reader.head()
    if reader.major < _BYTES and reader.at == at + 1:
        return bytes(reader.data[at : at + 1])
    reader.at = at
    raw = reader.byte_string()
    if number == 1 and _is_short(raw):
        raise Broken("not the shortest form", at)
    return raw


def _read_extra(reader) -> bytes:
    """Authorization data behind the rest (section 3.8): kept as it stands and never understood, so none is critical."""
    start = reader.at
    while reader.at < reader.end:
        at = reader.at
        reader.head()
        if reader.major == 1:
            raise Broken("critical data", at)
        if reader.major != 0:
            raise Broken("unexpected type", at)
        if reader.at < reader.end and reader.data[reader.at] >> 5 == _BYTES:
            reader.byte_string()
    return bytes(reader.data[start:])


def _one_byte_string(data):
    """The only item of messages 2, 3 and 4, or Damage."""
    reader = Reader(data)
    try:
        found = reader.byte_string()
        reader.close()
    except Broken as broken:
        return broken.damage
    return found


def _name_and_mac(reader):
    """(kid, MAC, authorization data) of a plaintext from here on."""
    kid = _read_identifier(reader)
    at = reader.at
    mac = reader.byte_string()
    if len(mac) != MAC_BYTES:
        raise Broken("length of the MAC", at)
    return kid, mac, _read_extra(reader)


def _differ(one: bytes, other: bytes) -> int:
    difference = 0
    for a, b in zip(one, other):
        difference |= a ^ b
    return difference


def _mac_2(suite, secret, c_r, side, th_2, extra):
    context = identifier(c_r) + cbor.encode({4: side[1]}) + cbor.encode(th_2) + side[2] + extra
    return derive(suite, secret, MAC_2, context, MAC_BYTES)


def _mac_3(suite, secret, side, th_3, extra):
    context = cbor.encode({4: side[1]}) + cbor.encode(th_3) + side[2] + extra
    return derive(suite, secret, MAC_3, context, MAC_BYTES)


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


class _Exchange:
    """What both roles have: suite, own side, ephemeral (secret, public), and `find(kid)`.

    That gives (public, credential), or (public, credential, agreed) where it was worked out before what our ephemeral
    key and theirs agree on; None for nobody.
    """

    def __init__(self, suite, side, ephemeral, find):
        self._suite = suite
        self._side = side
        self._ephemeral = ephemeral
        self._find = find
        self._th = b""
        self._secret = b""
        self._turn = 1
        self.peer = None
        """The kid of the other side, once it has shown that it holds that key."""

    def export(self, label: int, context: bytes, count: int) -> bytes:
        """A key for our own purposes (section 4.2.1); labels from 32768 on are free. Both sides get the same."""
        if self.peer is None:
            raise ValueError("nothing is agreed yet")
        exporter = derive(self._suite, self._out, PRK_EXPORTER, b"", _HASH_BYTES)
        return derive(self._suite, exporter, label, context, count)

    def _take_turn(self, number):
        if self._turn != number:
            raise ValueError("message %d was expected" % self._turn)
        self._turn = 0  # whatever goes wrong from here on, the exchange is over

    def _finish(self, plaintext_3, credential_i):
        """The outcome, from PRK_4e3m and TH_3."""
        self._th = transcript(self._suite, self._th, plaintext_3, credential_i)
        self._out = derive(self._suite, self._secret, PRK_OUT, self._th, _HASH_BYTES)


class Initiator(_Exchange):
    """The side that begins: `message_1`, `message_3_steps`, `take_message_4`."""

    def message_1(self, connection: bytes = b"\x00", more_preferred=()) -> bytes:
        """`more_preferred`: suites that we would rather have and the other side has refused (section 6.3)."""
        self._take_turn(1)
        suites = self._suite.number
        if more_preferred:
            suites = tuple(more_preferred) + (suites,)
        made = cbor.encode(METHOD) + cbor.encode(suites) + cbor.encode(self._ephemeral[1]) + identifier(connection)
        self._th = self._suite.hash(made)
        self._turn = 2
        return made

    def message_3_steps(self, message_2):
        """Return message 3, or Damage."""
        self._take_turn(2)
        suite = self._suite
        both = _one_byte_string(message_2)
        if isinstance(both, Damage):
            return both
        if len(both) <= KEY_BYTES:
            return Damage("truncated", len(message_2))
        g_y = both[:KEY_BYTES]
        proof = yield from self._proof_2_steps(g_y, both[KEY_BYTES:])
        if isinstance(proof, Damage):
            return proof
        c_r, kid, prk_3e2m, th_3 = proof
        shared = yield from suite.agree_steps(self._side[0], g_y)
        if shared is None:
            return Damage("ephemeral key", 0)
        self._th = th_3
        self._secret = suite.extract(derive(suite, prk_3e2m, SALT_4E3M, th_3, _HASH_BYTES), shared)
        named = identifier(self._side[1]) + cbor.encode(_mac_3(suite, self._secret, self._side, th_3, b""))
        sealed = seal(suite, prk_3e2m, (K_3, IV_3), th_3, named)
        self._finish(named, self._side[2])
        self.connection = c_r
        self.peer = kid
        self._turn = 4
        return cbor.encode(sealed)

    def _proof_2_steps(self, g_y, ciphertext):
        """(connection and kid of the other side, PRK_3e2m, TH_3) once it has shown that it holds its key, or Damage."""
        suite = self._suite
        th_2 = transcript(suite, g_y, cbor.encode(self._th))
        g_xy = yield from suite.agree_steps(self._ephemeral[0], g_y)
        if g_xy is None:
            return Damage("ephemeral key", 0)
        prk_2e = suite.extract(th_2, g_xy)
        plaintext = _xor(ciphertext, derive(suite, prk_2e, KEYSTREAM_2, th_2, len(ciphertext)))
        reader = Reader(plaintext)
        try:
            c_r = _read_identifier(reader)
            kid, mac, extra = _name_and_mac(reader)
        except Broken as broken:
            return broken.damage
        known = self._find(kid)
        if known is None:
            return Damage("unknown key", 0)
        shared = yield from suite.agree_steps(self._ephemeral[0], known[0])
        if shared is None:
            return Damage("static key", 0)
        prk_3e2m = suite.extract(derive(suite, prk_2e, SALT_3E2M, th_2, _HASH_BYTES), shared)
        if _differ(mac, _mac_2(suite, prk_3e2m, c_r, (None, kid, known[1]), th_2, extra)):
            return Damage("MAC", 0)
        return c_r, kid, prk_3e2m, transcript(suite, th_2, plaintext, known[1])

    def take_message_4(self, message_4) -> "Damage | None":
        """None where the other side has shown that it agreed to the same; else there is no agreement."""
        self._take_turn(4)
        wrong = self._fault_of_4(message_4)
        if wrong is not None:
            self.peer = None
        return wrong

    def _fault_of_4(self, message_4):
        sealed = _one_byte_string(message_4)
        if isinstance(sealed, Damage):
            return sealed
        plaintext = unseal(self._suite, self._secret, (K_4, IV_4), self._th, sealed)
        if plaintext is None:
            return Damage("MAC", 0)
        try:
            _read_extra(Reader(plaintext))
        except Broken as broken:
            return broken.damage
        return None


class Responder(_Exchange):
    """The side that answers: `message_2_steps`, then `message_4_steps`, after which `peer` says who asked."""

    def message_2_steps(self, message_1, connection: bytes):
        """Return message 2, or Damage. `connection`: our name for this exchange, which the other side gets sealed."""
        self._take_turn(1)
        suite = self._suite
        g_x = self._read_message_1(message_1)
        if isinstance(g_x, Damage):
            return g_x
        th_2 = transcript(suite, self._ephemeral[1], cbor.encode(suite.hash(message_1)))
        g_xy = yield from suite.agree_steps(self._ephemeral[0], g_x)
        if g_xy is None:
            return Damage("ephemeral key", 0)
        prk_2e = suite.extract(th_2, g_xy)
        shared = yield from suite.agree_steps(self._side[0], g_x)
        if shared is None:
            return Damage("ephemeral key", 0)
        self._secret = suite.extract(derive(suite, prk_2e, SALT_3E2M, th_2, _HASH_BYTES), shared)
        mac = _mac_2(suite, self._secret, connection, self._side, th_2, b"")
        plaintext = identifier(connection) + identifier(self._side[1]) + cbor.encode(mac)
        self._th = transcript(suite, th_2, plaintext, self._side[2])
        ciphertext = _xor(plaintext, derive(suite, prk_2e, KEYSTREAM_2, th_2, len(plaintext)))
        self._turn = 3
        return cbor.encode(self._ephemeral[1] + ciphertext)

    def _read_message_1(self, message_1):
        """G_X, or Damage."""
        reader = Reader(message_1)
        try:
            if reader.uint() != METHOD:
                return Damage("method", 0)
            at = reader.at
            if not self._may_select(reader.item()):
                return Damage("suite", at)
            at = reader.at
            g_x = reader.byte_string()
            if len(g_x) != KEY_BYTES:
                return Damage("ephemeral key", at)
            _read_identifier(reader)
            _read_extra(reader)
        except Broken as broken:
            return broken.damage
        return g_x

    def _may_select(self, suites) -> bool:
        """The last suite is the selected one; those before it must be ones that we do not have (section 5.2.3)."""
        ours = self._suite.number
        if isinstance(suites, list):
            return len(suites) > 1 and suites[-1] == ours and ours not in suites[:-1]
        return suites == ours and not isinstance(suites, bool)

    def message_4_steps(self, message_3):
        """Return message 4, or Damage. Only now it is known who the other side is."""
        self._take_turn(3)
        suite = self._suite
        sealed = _one_byte_string(message_3)
        if isinstance(sealed, Damage):
            return sealed
        plaintext = unseal(suite, self._secret, (K_3, IV_3), self._th, sealed)
        if plaintext is None:
            return Damage("MAC", 0)
        try:
            kid, mac, extra = _name_and_mac(Reader(plaintext))
        except Broken as broken:
            return broken.damage
        known = self._find(kid)
        if known is None:
            return Damage("unknown key", 0)
        shared = known[2] if len(known) > 2 else None
        if shared is None:
            shared = yield from suite.agree_steps(self._ephemeral[0], known[0])
        if shared is None:
            return Damage("static key", 0)
        self._secret = suite.extract(derive(suite, self._secret, SALT_4E3M, self._th, _HASH_BYTES), shared)
        if _differ(mac, _mac_3(suite, self._secret, (None, kid, known[1]), self._th, extra)):
            return Damage("MAC", 0)
        self._finish(plaintext, known[1])
        self.peer = kid
        return cbor.encode(seal(suite, self._secret, (K_4, IV_4), self._th, b""))
