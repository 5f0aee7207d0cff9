from unittest.mock import Mock

import pytest

from bench.receiver import ANSWER, Receiver

ONE = b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("size", [1, 7, len(ONE) * 2])
def test_requests_in_pieces(size):
    heard = []
    receiver, transport = Receiver(lambda body, at: heard.append(body)), Mock()
    receiver._transport = transport
    stream = ONE + ONE
    for start in range(0, len(stream), size):
        receiver.data_received(stream[start : start + size])
    assert heard == [b"abc", b"abc"]
    assert [call.args for call in transport.write.call_args_list] == [(ANSWER,), (ANSWER,)]
