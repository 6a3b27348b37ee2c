"""What the board finds where this computer has a module that no board has: an empty one."""
