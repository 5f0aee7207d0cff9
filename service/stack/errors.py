"""What keeps the stack from doing what was asked."""


class StackError(Exception):
    """One sentence for the operator: what is wrong, and where it can be known, what to do."""
