"""`python -m service.stack`: the stack's commands alone."""

from service.stack.cli import stack

stack(prog_name="python -m service.stack")
