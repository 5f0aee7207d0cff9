"""`python -m service.stack`: the stack's commands alone."""

import signal
import sys

signal.signal(signal.SIGINT, lambda *_: sys.exit(130))  # until the launcher has its own: no trace for a Ctrl-C

from service.stack.cli import stack  # noqa: E402

stack(prog_name="python -m service.stack")
