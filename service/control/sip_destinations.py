"""Which trunks may dial a SIP URI."""

from collections.abc import Sequence

from service.control.ports import Destinations
from service.trunks.trunk import Encryption, Trunk
from service.trunks.uri import SipUri, parse


async def that_may_dial(to: str, trunks: Sequence[Trunk], destinations: Destinations | None) -> tuple[list[Trunk], str]:
    """Those of the trunks that may dial `to`, and what is expected of it where none may. Every trunk dials numbers.
    Without `destinations`, a URI may lead anywhere."""
    uri = parse(to)
    if uri is None:
        return list(trunks), ""
    expected = "E.164: the trunk does not allow SIP destinations"
    allowed = [trunk for trunk in trunks if trunk.allow_sip_destinations]
    outside = [trunk for trunk in allowed if not trunk.sandbox]  # in the sandbox, a URI leads nowhere else
    if outside and _encrypted(uri):
        expected = "a SIP URI without TLS: the trunk does not encrypt"
        outside = [trunk for trunk in outside if trunk.encryption is not Encryption.NONE]
    if outside and (mine := [trunk for trunk in outside if _keeps_its_login(trunk, uri)]) != outside:
        expected = "a SIP URI at the trunk's own host: its login would answer another host's challenge"
        outside = mine
    if outside and destinations is not None and (fault := await destinations.fault(to)):
        expected, outside = fault, []
    return [trunk for trunk in allowed if trunk.sandbox or trunk in outside], expected


def _keeps_its_login(trunk: Trunk, uri: SipUri) -> bool:
    """Whether a call to the URI asks nobody but the carrier for the trunk's password."""
    own = parse(trunk.termination_uri)
    return not trunk.auth_username or (own is not None and own.host.lower() == uri.host.lower())


def _encrypted(uri: SipUri) -> bool:
    return uri.scheme == "sips" or uri.transport == "tls"
