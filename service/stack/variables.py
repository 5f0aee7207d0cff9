"""The environment that ties the parts together: read by the service, filled into Asterisk's configuration."""

from collections.abc import Mapping

from service.stack.settings import StackSettings

# Where the service finds the others; the operator can put a proxy in between.
ADDRESSES = ("ORBIT_REDIS_URL", "ORBIT_ARI_URL", "ORBIT_AMI_ADDR")
SEED_NUMBERS = "+12025551234,+18005551234"  # so that the reference's examples run


def reachable(host: str) -> str:
    """The address at which something that binds `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def variables(
    settings: StackSettings, ports: Mapping[str, int], secrets: Mapping[str, str], shell: Mapping[str, str]
) -> dict[str, str]:
    """Every ORBIT_ variable of the stack. The operator's `shell` wins, but for what follows from `settings`."""
    api, asterisk, sip = (reachable(host) for host in (settings.api_host, settings.asterisk_bind, settings.sip_bind))
    settled = {
        "ORBIT_HOME": str(settings.home),
        "ORBIT_NODE": settings.node,
        "ORBIT_API_HOST": settings.api_host,
        "ORBIT_API_PORT": str(ports["api_port"]),
        "ORBIT_URL": f"http://{api}:{ports['api_port']}",
        "ORBIT_ASTERISK_BIND": settings.asterisk_bind,
        "ORBIT_SIP_BIND": settings.sip_bind,
        "ORBIT_SIP_UDP": str(ports["sip_udp"]),
        "ORBIT_SIP_TLS": str(ports["sip_tls"]),
        "ORBIT_SIP_HOST": sip,
        "ORBIT_SIP_ADDR": f"{sip}:{ports['sip_udp']}",
        "ORBIT_ARI_URL": f"http://{asterisk}:{ports['http_port']}/ari",
        "ORBIT_AMI_ADDR": f"{asterisk}:{ports['ami_port']}",
        "ORBIT_REDIS_URL": f"redis://127.0.0.1:{ports['redis_port']}/0",
        "ORBIT_CARRIER_SIP_HOST": "127.0.0.1",
        "ORBIT_CARRIER_SIP_ADDR": f"127.0.0.1:{ports['carrier_sip_port']}",
        "ORBIT_CARRIER_ARI_URL": f"http://127.0.0.1:{ports['carrier_http_port']}/ari",
        "ORBIT_INBOUND_MAX_DURATION": str(settings.inbound_max_duration),
    }
    defaults = {
        **secrets,
        "ORBIT_ARI_USER": "orbit",
        "ORBIT_AMI_USER": "orbit",
        "ORBIT_SEED_NUMBERS": SEED_NUMBERS,
        "ORBIT_SANDBOX": "true",
        "ORBIT_WEBHOOK_ALLOW_PRIVATE": "true",
    }
    return defaults | {name: value for name, value in shell.items() if name.startswith("ORBIT_")} | settled


def for_service(stack: Mapping[str, str], shell: Mapping[str, str]) -> dict[str, str]:
    """The ORBIT_ variables of the service."""
    return {**stack, **{name: shell[name] for name in ADDRESSES if name in shell}}
