"""A child process that the kernel ends with its parent (prctl(2), PR_SET_PDEATHSIG, by way of setpriv(1)), and one that
is handed a listening socket."""

import os
from collections.abc import Sequence

STILL_OURS = '[ "$PPID" = "$0" ] && exec "$@"'  # a parent that died before setpriv had acted sends no signal any more
HANDED = 'export LISTEN_PID=$$; exec "$@" 3<&0 </dev/null'  # only the child itself knows its number in time


def leashed(argv: Sequence[str], at_parents_end: str = "KILL") -> tuple[str, ...]:
    """The command that runs `argv` as a child of this process and sends it that signal when this process ends."""
    return ("setpriv", "--pdeathsig", at_parents_end, "sh", "-c", STILL_OURS, str(os.getpid()), *argv)


def handed(argv: Sequence[str]) -> tuple[str, ...]:
    """The command that runs `argv` with its standard input, a socket, as the one that `handover` hands over."""
    return ("sh", "-c", HANDED, "sh", *argv)
