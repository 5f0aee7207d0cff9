from bench.far_end import CANCELLED, NUMBER, answer

INVITE = (
    b"INVITE sip:+12025550001@127.0.0.1:5070 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=1\r\nVia: SIP/2.0/UDP b\r\n"
    b"From: <sip:a@b>;tag=x\r\nTo: <sip:c@d>\r\nContact: <sip:a@b>\r\nCall-ID: 7\r\nCSeq: 3 INVITE\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def test_answer_to_an_invite():
    assert answer(INVITE, b"200 OK", b"<sip:far@e>", b"v=0\r\n") == (
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=1\r\nVia: SIP/2.0/UDP b\r\n"
        b"From: <sip:a@b>;tag=x\r\nCall-ID: 7\r\nCSeq: 3 INVITE\r\n"
        b"To: <sip:c@d>;tag=far\r\nContact: <sip:far@e>\r\nContent-Type: application/sdp\r\n"
        b"Content-Length: 5\r\n\r\nv=0\r\n"
    )


def test_answer_within_a_dialog():
    bye = INVITE.replace(b"INVITE", b"BYE").replace(b"<sip:c@d>", b"<sip:c@d>;tag=far")
    assert b"To: <sip:c@d>;tag=far\r\n" in answer(bye, b"200 OK", b"<sip:far@e>")


def test_the_invite_of_a_cancel():
    cancel = INVITE.replace(b"INVITE", b"CANCEL")
    assert b"CSeq: 3 INVITE\r\n" in CANCELLED.sub(rb"\1INVITE\r\n", cancel)


def test_the_number_called():
    assert NUMBER.match(INVITE)[1] == b"+12025550001"
