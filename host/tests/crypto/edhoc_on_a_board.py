"""Runs inside MicroPython: answers an EDHOC exchange, one message a line in hex, and says what was agreed."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0] + "/../../../firmware")

from hedgenode.crypto import suite0
from hedgenode.crypto.steps import finish
from hedgewire import edhoc

y, g_y, r, kid_r, cred_r, c_r, kid_i, g_i, cred_i = [bytes.fromhex(field) for field in sys.argv[1:]]
responder = edhoc.Responder(suite0, (r, kid_r, cred_r), (y, g_y), {kid_i: (g_i, cred_i)}.get)
print(finish(responder.message_2_steps(bytes.fromhex(sys.stdin.readline().strip()), c_r)).hex())
print(finish(responder.message_4_steps(bytes.fromhex(sys.stdin.readline().strip()))).hex())
sys.stdin.readline()
print(responder.export(32768, b"", 32).hex())
