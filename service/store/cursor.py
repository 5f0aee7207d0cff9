"""Cursors: opaque to users, the last id of a page to us. They stay valid while records come and go."""

import base64
import binascii

from service.calls.ids import is_id

_PREFIX = "cur_"


def encode_cursor(last_id: str) -> str:
    """The cursor of a page that ends with `last_id`."""
    return _PREFIX + base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, prefix: str) -> str | None:
    """The id in a cursor of a list of `prefix` ids, or None where it is not one that we gave out."""
    if not cursor.startswith(_PREFIX) or len(cursor) > 80 or not cursor.isascii():
        return None
    text = cursor[len(_PREFIX) :]
    try:
        last_id = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return last_id if is_id(last_id, prefix) else None
