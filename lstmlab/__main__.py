"""``python -m lstmlab`` is the command ``lstmlab``."""

import sys

from lstmlab.cli import main

# Workers that are spawned import this file too.
if __name__ == "__main__":
    sys.exit(main())
