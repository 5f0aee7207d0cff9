"""A receiver verifies with nothing but HMAC-SHA256."""

import hashlib
import hmac

from service.webhooks.signature import sign


def test_the_signature_is_over_time_and_exact_body():
    body = '{"name":"Zoë","text":"a\\nb"}'.encode()
    expected = hmac.new(b"whsec_abc", b"1760000000." + body, hashlib.sha256).hexdigest()
    assert sign(b"whsec_abc", body, 1_760_000_000) == f"t=1760000000,v1={expected}"


def test_another_secret_body_or_time_gives_another_signature():
    made = {sign(b"a", b"x", 1), sign(b"b", b"x", 1), sign(b"a", b"y", 1), sign(b"a", b"x", 2)}
    assert len(made) == 4
