"""The environment that ties the parts of a stack together."""

import json

import pytest

from service.settings import Settings
from service.stack.home import ENV
from service.stack.nodes import numbered, numbers, of_node
from service.stack.ports import NODE, SETTINGS
from service.stack.settings import StackSettings
from service.stack.variables import for_service, reachable, variables

FURTHER = [numbered(name, number) for number in (2, 3) for name in NODE]
PORTS = {name: 20000 + number for number, name in enumerate((*SETTINGS, *FURTHER))}
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


def test_the_service_trusts_the_authorities_that_asterisk_trusts():
    assert (
        made({"ORBIT_TLS_CA": "/mine.pem"}, home="/h", tls_ca="/mine.pem")["ORBIT_TLS_CA"] == "/h/tls/asterisk-ca.pem"
    )


def test_addresses_of_another_stack_in_the_shell_do_not_mislead_this_one():
    stale = {"ORBIT_URL": "x", "ORBIT_HOME": "x", "ORBIT_API_PORT": "1", "ORBIT_CARRIER_ARI_URL": "x"}
    assert made(stale) == made()


def test_the_service_alone_takes_an_address_of_its_own_for_a_proxy_in_between():
    shell = {"ORBIT_REDIS_URL": "redis://127.0.0.1:1/0"}
    env = made(shell)
    assert env["ORBIT_REDIS_URL"] == made()["ORBIT_REDIS_URL"]
    assert for_service(env, shell) == env | shell


def test_each_node_has_a_name_and_addresses_of_its_own():
    env = made(nodes=3)
    assert [env[numbered("ORBIT_NODE", number)] for number in (1, 2, 3)] == ["node1", "node2", "node3"]
    assert env["ORBIT_ARI_URL_2"] == f"http://127.0.0.1:{PORTS['http_port_2']}/ari"
    assert env["ORBIT_AMI_ADDR_3"] == f"127.0.0.1:{PORTS['ami_port_3']}"
    assert env["ORBIT_SIP_ADDR_2"] == f"127.0.0.1:{PORTS['sip_udp_2']}"
    assert env["ORBIT_SIP_TLS_UNVERIFIED_3"] == str(PORTS["sip_tls_unverified_3"])
    assert numbers(env) == [1, 2, 3]
    second = of_node(env, 2)
    assert (second["ORBIT_NODE"], second["ORBIT_SIP_UDP"]) == ("node2", str(PORTS["sip_udp_2"]))


@pytest.mark.parametrize(("first", "second"), [("node1", "node2"), ("node2", "node22"), ("a" * 32, "a" * 31 + "2")])
def test_no_two_nodes_have_one_name(first, second):
    assert made(nodes=2, node=first)["ORBIT_NODE_2"] == second


def test_the_service_knows_every_node_with_its_passwords_where_there_are_several():
    assert "ORBIT_ASTERISK_NODES" not in for_service(made(), {})
    shell = {"ORBIT_ARI_URL_2": "http://127.0.0.1:1/ari", "ORBIT_AMI_ADDR": "127.0.0.1:2"}
    env = for_service(made(shell, nodes=2), shell)
    one, two = Settings(asterisk_nodes=json.loads(env["ORBIT_ASTERISK_NODES"])).nodes
    assert (one.name, two.name) == ("node1", "node2")
    assert (one.ari_url, two.ari_url) == (made()["ORBIT_ARI_URL"], "http://127.0.0.1:1/ari")
    assert (one.ami_addr, two.ami_addr) == ("127.0.0.1:2", f"127.0.0.1:{PORTS['ami_port_2']}")
    assert two.sip_addr == f"127.0.0.1:{PORTS['sip_udp_2']}"
    assert {node.ari_password.get_secret_value() for node in (one, two)} == {"made"}
    assert "ORBIT_ASTERISK_NODES" not in made(shell, nodes=2)  # what the others and the env file see


def test_a_node_that_the_shell_names_and_the_stack_has_not_is_none():
    assert numbers(made({"ORBIT_ARI_URL_2": "http://127.0.0.1:1/ari"})) == [1]


def test_the_processes_are_handed_on():
    assert made(processes=3)["ORBIT_PROCESSES"] == "3"


@pytest.mark.parametrize(
    ("bound", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.1.2.3", "10.1.2.3")],
)
def test_where_a_bound_address_is_reached(bound, reached):
    assert reachable(bound) == reached
