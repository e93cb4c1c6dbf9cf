"""``python -m pgen``: the command ``pgen``, also where no such command is found."""

from __future__ import annotations

import sys

from pgen.cli.main import main

if __name__ == "__main__":  # and not in the processes that a training starts
    sys.exit(main())
