"""Bluetooth Low Energy without a radio: virtual boards and this computer's own `bleak` on one link of Bumble's."""
