"""`python -m hedgerow` does what `hedgerow` does."""

import sys

from hedgerow.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
