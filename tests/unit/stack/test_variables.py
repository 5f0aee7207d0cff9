"""The environment that ties the parts of a stack together."""

import pytest

from service.stack.home import ENV
from service.stack.ports import SETTINGS
from service.stack.settings import StackSettings
from service.stack.variables import for_service, reachable, variables

PORTS = {name: 20000 + number for number, name in enumerate(SETTINGS)}
SECRETS = dict.fromkeys(
    ("ORBIT_LIVE_KEY", "ORBIT_TEST_KEY", "ORBIT_WEBHOOK_SECRET", "ORBIT_ARI_PASSWORD", "ORBIT_AMI_PASSWORD"), "made"
)


def made(shell=None, **settings):
    return variables(StackSettings(**settings), PORTS, SECRETS, shell or {})


def test_it_names_all_that_a_shell_gets_to_know():
    assert set(ENV) <= made().keys()


def test_the_addresses_follow_from_the_ports():
    env = made()
    assert env["ORBIT_URL"] == f"http://127.0.0.1:{PORTS['api_port']}"
    assert env["ORBIT_ARI_URL"] == f"http://127.0.0.1:{PORTS['http_port']}/ari"
    assert env["ORBIT_CARRIER_ARI_URL"] == f"http://127.0.0.1:{PORTS['carrier_http_port']}/ari"
    assert env["ORBIT_AMI_ADDR"] == f"127.0.0.1:{PORTS['ami_port']}"
    assert env["ORBIT_REDIS_URL"] == f"redis://127.0.0.1:{PORTS['redis_port']}/0"


def test_what_the_operator_set_wins():
    shell = {"ORBIT_LIVE_KEY": "mine", "ORBIT_SEED_NUMBERS": "", "ORBIT_LOG_LEVEL": "debug", "PATH": "/bin"}
    env = made(shell)
    assert (env["ORBIT_LIVE_KEY"], env["ORBIT_SEED_NUMBERS"], env["ORBIT_LOG_LEVEL"]) == ("mine", "", "debug")
    assert env["ORBIT_TEST_KEY"] == "made"
    assert "PATH" not in env


def test_addresses_of_another_stack_in_the_shell_do_not_mislead_this_one():
    stale = {"ORBIT_URL": "x", "ORBIT_HOME": "x", "ORBIT_API_PORT": "1", "ORBIT_CARRIER_ARI_URL": "x"}
    assert made(stale) == made()


def test_the_service_alone_takes_an_address_of_its_own_for_a_proxy_in_between():
    shell = {"ORBIT_REDIS_URL": "redis://127.0.0.1:1/0"}
    env = made(shell)
    assert env["ORBIT_REDIS_URL"] == made()["ORBIT_REDIS_URL"]
    assert for_service(env, shell) == env | shell


@pytest.mark.parametrize(
    ("bound", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.1.2.3", "10.1.2.3")],
)
def test_where_a_bound_address_is_reached(bound, reached):
    assert reachable(bound) == reached
