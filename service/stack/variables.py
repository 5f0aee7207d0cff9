"""The environment that ties the parts together: read by the service, filled into Asterisk's configuration."""

import json
from collections.abc import Mapping

from service.stack.nodes import MOST, OWN, numbered, numbers, of_node
from service.stack.settings import StackSettings

# Where the service finds the others; the operator can put a proxy in between. The last two are there for each node.
REDIS, ARI, AMI = "ORBIT_REDIS_URL", "ORBIT_ARI_URL", "ORBIT_AMI_ADDR"
FURTHER = {numbered(name, number) for name in OWN for number in range(2, MOST + 1)}
# What the service gets to know of each of several nodes, by its name in ORBIT_ASTERISK_NODES.
NODE = {
    "name": "ORBIT_NODE",
    "ari_url": ARI,
    "ari_user": "ORBIT_ARI_USER",
    "ari_password": "ORBIT_ARI_PASSWORD",
    "ami_addr": AMI,
    "ami_user": "ORBIT_AMI_USER",
    "ami_password": "ORBIT_AMI_PASSWORD",
    "sip_addr": "ORBIT_SIP_ADDR",
}
SEED_NUMBERS = "+12025551234,+18005551234"  # so that the reference's examples run


def reachable(host: str) -> str:
    """The address at which something that binds `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def variables(
    settings: StackSettings, ports: Mapping[str, int], secrets: Mapping[str, str], shell: Mapping[str, str]
) -> dict[str, str]:
    """Every ORBIT_ variable of the stack. The operator's `shell` wins, but for what follows from `settings`."""
    api = reachable(settings.api_host)
    settled = {
        "ORBIT_HOME": str(settings.home),
        "ORBIT_PROCESSES": str(settings.processes),
        "ORBIT_API_HOST": settings.api_host,
        "ORBIT_API_PORT": str(ports["api_port"]),
        "ORBIT_URL": f"http://{api}:{ports['api_port']}",
        "ORBIT_ASTERISK_BIND": settings.asterisk_bind,
        "ORBIT_SIP_BIND": settings.sip_bind,
        "ORBIT_SIP_HOST": reachable(settings.sip_bind),
        "ORBIT_SIP_BIND6": str(settings.sip_bind6 or ""),
        "ORBIT_EXTERNAL_ADDRESS": str(settings.external_address or ""),
        "ORBIT_LOCAL_NETS": settings.inside,
        "ORBIT_TLS_CA": str(settings.home / "tls/asterisk-ca.pem"),  # what Asterisk trusts, the service does
        "ORBIT_SPEECH_MODELS": str(settings.speech_models.absolute()),
        "ORBIT_REDIS_URL": f"redis://127.0.0.1:{ports['redis_port']}/0",
        "ORBIT_CARRIER_SIP_HOST": "127.0.0.1",
        "ORBIT_CARRIER_SIP_ADDR": f"127.0.0.1:{ports['carrier_sip_port']}",
        "ORBIT_CARRIER_ARI_URL": f"http://127.0.0.1:{ports['carrier_http_port']}/ari",
        "ORBIT_INBOUND_MAX_DURATION": str(settings.inbound_max_duration),
    }
    for number in range(1, settings.nodes + 1):
        own = _node(settings, ports, number)
        settled |= {numbered(name, number): value for name, value in own.items()}
    defaults = {
        **secrets,
        "ORBIT_ARI_USER": "orbit",
        "ORBIT_AMI_USER": "orbit",
        "ORBIT_SEED_NUMBERS": SEED_NUMBERS,
        "ORBIT_SANDBOX": "true",
        "ORBIT_WEBHOOK_ALLOW_PRIVATE": "true",
        "ORBIT_TRUNK_ALLOW_LOOPBACK": "true",
    }
    wishes = {name: value for name, value in shell.items() if name.startswith("ORBIT_") and name not in FURTHER}
    return defaults | wishes | settled


def _node(settings: StackSettings, ports: Mapping[str, int], number: int) -> dict[str, str]:
    """What one node has for itself (`nodes.OWN`)."""
    sip, asterisk = reachable(settings.sip_bind), reachable(settings.asterisk_bind)
    names = ("sip_udp", "sip_tls", "sip_tls_unverified", "http_port", "ami_port")
    udp, tls, unverified, http, ami = (ports[numbered(name, number)] for name in names)
    return {
        "ORBIT_NODE": settings.node if number == 1 else f"{settings.node.removesuffix('1')[:31]}{number}",
        "ORBIT_SIP_UDP": str(udp),
        "ORBIT_SIP_TLS": str(tls),
        "ORBIT_SIP_TLS_UNVERIFIED": str(unverified),
        "ORBIT_SIP_ADDR": f"{sip}:{udp}",
        ARI: f"http://{asterisk}:{http}/ari",
        AMI: f"{asterisk}:{ami}",
    }


def for_service(stack: Mapping[str, str], shell: Mapping[str, str]) -> dict[str, str]:
    """The ORBIT_ variables of the service, ORBIT_ASTERISK_NODES with passwords among them where there are several."""
    number = numbers(stack)
    addresses = {REDIS, *(numbered(name, each) for name in (ARI, AMI) for each in number)}
    env = {**stack, **{name: shell[name] for name in addresses if name in shell}}
    if len(number) > 1:
        nodes = [{field: of_node(env, each)[name] for field, name in NODE.items()} for each in number]
        env["ORBIT_ASTERISK_NODES"] = json.dumps(nodes)
    return env
