"""``python -m plectrum`` is the ``plectrum`` command."""

import sys

from .cli import main

sys.exit(main())
