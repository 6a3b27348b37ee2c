"""One file a command: parse, call, print. Nothing is imported here, so that `hedgerow --version` answers at once."""
