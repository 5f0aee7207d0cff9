"""Which ports a stack gets."""

import io
import socket

import pytest

from service.stack.errors import StackError
from service.stack.ports import NODE, SETTINGS, Ports, _free
from service.stack.progress import Progress
from service.stack.settings import StackSettings

pytestmark = pytest.mark.usefixtures("socket_enabled")

SMALL = {"rtp_size": 100}
ANY = dict.fromkeys(SETTINGS, 0) | SMALL
QUIET = Progress(None)


@pytest.fixture
def make():
    """Makes holders of ports, which give them free in the end."""
    made = []

    def holder():
        made.append(Ports())
        return made[-1]

    yield holder
    for one in made:
        one.release()


def some_free(make):
    """A set of ports that was free a moment ago."""
    ports = make()
    ports.choose(StackSettings(**ANY), {}, QUIET)
    ports.release()
    return ports.chosen


def test_zero_is_any_free_port(make):
    ports = make()
    ports.choose(StackSettings(**ANY), {}, QUIET)
    assert ports.chosen.keys() == set(SETTINGS)
    assert all(ports.chosen.values())


def test_each_node_has_ports_of_its_own(make):
    ports, again = make(), make()
    ports.choose(StackSettings(nodes=3, **ANY), {}, QUIET)
    assert ports.chosen.keys() == {*SETTINGS, *(f"{name}_{number}" for number in (2, 3) for name in NODE)}
    assert len(set(ports.chosen.values())) == len(ports.chosen)
    ports.release()
    again.choose(StackSettings(nodes=3, **SMALL), ports.chosen, QUIET)
    assert again.chosen == ports.chosen


def test_two_stacks_that_start_at_once_share_no_port(make):
    one, other = make(), make()
    for ports in (one, other):
        ports.choose(StackSettings(**ANY), {}, QUIET)

    def used(ports):
        ranges = {name: 100 if "rtp" in name else 1 for name in SETTINGS}
        return {port + more for name, port in ports.chosen.items() for more in range(ranges[name])}

    assert not used(one) & used(other)


def test_a_restart_gets_the_ports_that_it_had(make):
    kept = some_free(make)
    ports = make()
    ports.choose(StackSettings(**SMALL), kept, QUIET)
    assert ports.chosen == kept


def test_what_is_taken_is_replaced_and_said_in_a_line(make):
    kept, said = some_free(make), io.StringIO()
    ports = make()
    with socket.socket() as other:
        other.bind(("127.0.0.1", kept["api_port"]))
        other.listen()
        ports.choose(StackSettings(**SMALL), kept, Progress(said))
    taken, used = kept.pop("api_port"), ports.chosen.pop("api_port")
    assert used != taken
    assert ports.chosen == kept
    assert said.getvalue() == f"  ports     ORBIT_API_PORT: {taken} is taken, using {used}\n"


def test_one_that_the_operator_set_is_used_or_named_in_an_error(make):
    port = some_free(make)["redis_port"]
    settings = StackSettings(**(ANY | {"redis_port": port}))
    ports = make()
    ports.choose(settings, {"redis_port": port + 1}, QUIET)
    assert ports.chosen["redis_port"] == port
    with pytest.raises(StackError, match=f"ORBIT_REDIS_PORT={port} is taken"):
        make().choose(settings, {}, QUIET)


def test_a_port_of_sip_must_be_free_for_udp_and_for_tcp(make):
    port = some_free(make)["sip_udp"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        with pytest.raises(StackError, match="ORBIT_SIP_UDP"):
            make().choose(StackSettings(**(ANY | {"sip_udp": port})), {}, QUIET)


def test_a_range_of_rtp_ports_must_be_free_as_a_whole(make):
    start = some_free(make)["rtp_start"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", start + 99))
        with pytest.raises(StackError, match="ORBIT_RTP_START"):
            make().choose(StackSettings(**(ANY | {"rtp_start": start})), {}, QUIET)


def test_an_address_of_another_machine_is_named():
    with pytest.raises(StackError, match=r"^192\.0\.2\.1 cannot be bound"):
        _free("192.0.2.1", socket.SOCK_STREAM, 0)


def test_what_is_released_can_be_taken_again(make):
    ports, again = make(), make()
    ports.choose(StackSettings(**ANY), {}, QUIET)
    settings = StackSettings(**(ports.chosen | SMALL))
    with pytest.raises(StackError, match="is taken"):
        again.choose(settings, {}, QUIET)
    ports.release()
    again.choose(settings, {}, QUIET)
    assert again.chosen == ports.chosen
