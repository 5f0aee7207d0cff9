"""What the dialplan goes by, as rows of AstDB: key → value. Pure. The files `extensions_*.conf` read them.

A row is at most `LONGEST` bytes: it travels in one line of AMI. Fields are separated by `|`; none of them can hold one.
"""

from collections.abc import Sequence

import phonenumbers

from service.ivr.flow import KEYS, Action, Flow
from service.numbers.number import Number
from service.numbers.route import RouteType
from service.trunks.trunk import SANDBOX, Trunk
from service.trunks.uri import parse

LONGEST = 1000  # bytes
READY = "plan/ready"
Rows = dict[str, str]

FAMILIES = ("flow", "number", "national", "trunk")


def of_flow(flow: Flow) -> Rows:
    """`flow/<id>`: extensions_menu.conf names the fields. Of a version whose prompts are all made."""
    fields = [
        str(flow.version),
        str(flow.timeout_seconds),
        str(flow.max_retries),
        flow.greeting_hash,
        flow.invalid_hash,
        flow.unavailable_hash,
        "1" if flow.listens else "",
        flow.fallback_action,
        flow.fallback_target or "",
        *(_option(flow, key) for key in KEYS),
    ]
    return {f"flow/{flow.id}": "|".join(fields)}


def _option(flow: Flow, key: str) -> str:
    option = flow.option(key)
    if option is None:
        return ""
    target = option.target or ""
    if option.action is Action.SAY:
        target = flow.say_hash(option)
    elif option.action is Action.TRANSFER_SIP:
        target = sip_target(target)
    return f"{option.action}:{target}"


def of_number(number: Number) -> Rows:
    """`number/<E.164>`: type | target | trunks; and `national/<calling code>/<digits>` for the forms in which carriers
    of its own country send it."""
    route = number.route
    kind, target = (route.type.value, route.target or "") if route else ("none", "")
    if route and route.type is RouteType.SIP:
        target = sip_target(target)
    rows = {f"number/{number.number}": "|".join((kind, target, "&".join(number.trunks)))}
    try:
        parsed = phonenumbers.parse(number.number, None)
    except phonenumbers.NumberParseException:
        return rows
    return rows | {f"national/{parsed.country_code}/{digits}": number.number for digits in _forms(parsed)}


def _forms(number: phonenumbers.PhoneNumber) -> set[str]:
    """Without a prefix, as it is written, and with the prefix of its country, which is not written everywhere."""
    digits = phonenumbers.national_significant_number(number)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    region = phonenumbers.region_code_for_number(number)
    prefix = phonenumbers.ndd_prefix_for_region(region, True) if region else None
    return {digits, "".join(filter(str.isdecimal, written)), (prefix or "") + digits}


def of_trunks(trunks: Sequence[Trunk]) -> Rows:
    """`trunk/<id>`: endpoint | what follows @ | SIP destinations | calling code | prefix for calls abroad; and
    `trunk/default`, the id of the one that is it. Of one that is switched off, nothing."""
    rows: Rows = {}
    for trunk in trunks:
        if trunk.enabled:
            rows[f"trunk/{trunk.id}"] = _trunk(trunk)
    by_age = sorted(trunks, key=lambda trunk: trunk.id)
    sandbox = next((trunk for trunk in by_age if trunk.sandbox), None)
    if sandbox:
        rows[f"trunk/{SANDBOX}"] = _trunk(sandbox)
    default = next((trunk for trunk in by_age if trunk.default), sandbox)
    return rows | ({"trunk/default": default.id} if default else {})


def _trunk(trunk: Trunk) -> str:
    code, abroad = _dialling(trunk.country) if trunk.country else ("", "")
    target = "" if trunk.sandbox else trunk.target
    return "|".join((trunk.endpoint, target, _sip_destinations(trunk), code, abroad))


def _sip_destinations(trunk: Trunk) -> str:
    """`*` for any, a host for that one alone: a login answers no other host's challenge."""
    if trunk.sandbox:
        return "*"
    if not trunk.allow_sip_destinations:
        return ""
    uri = parse(trunk.termination_uri)
    return "*" if not trunk.auth_username or uri is None else uri.host.lower()


def _dialling(country: str) -> tuple[str, str]:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    if metadata is None:
        return "", ""
    written = metadata.preferred_international_prefix or metadata.international_prefix or ""
    abroad = written.replace("~", "")  # where one waits for a tone
    return str(metadata.country_code), abroad if abroad.isdecimal() else ""


def sip_target(text: str) -> str:
    """A SIP URI as transfers take it: `user@host[:port]`, and `;transport=tls` where it demands TLS."""
    uri = parse(text)
    if uri is None:
        return ""
    port = f":{uri.port}" if uri.port else ""
    secure = ";transport=tls" if uri.scheme == "sips" or uri.transport == "tls" else ""
    return f"{uri.user}@{uri.host.lower()}{port}{secure}"
