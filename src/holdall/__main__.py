"""`python -m holdall`: the command line, for when the `holdall` script is not on the PATH."""

from holdall.cli import main

raise SystemExit(main())
