"""The settings of the stack."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.stack.ports import SETTINGS
from service.stack.settings import StackSettings


def test_every_setting_is_described():
    assert all(field.description for field in StackSettings.model_fields.values())


def test_every_port_is_a_setting():
    assert set(SETTINGS) <= StackSettings.model_fields.keys()


def test_folders_become_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORBIT_HOME", "here")
    monkeypatch.delenv("ORBIT_TREE", raising=False)
    settings = StackSettings()
    assert settings.home == tmp_path / "here"
    assert settings.tree == tmp_path / ".stack/tree"


@pytest.mark.parametrize("path", ["/a b", "/a;b", "/a,b", "/a|b", "/a:b", "/a$(b)", "/a\nb", "/ä"])
def test_a_path_that_asterisk_would_misread_is_refused(path):
    with pytest.raises(ValidationError, match="only letters"):
        StackSettings(home=Path(path))


def test_an_empty_variable_is_no_value(monkeypatch):
    monkeypatch.setenv("ORBIT_API_PORT", "")
    assert StackSettings().api_port == 8080


def test_local_nets_are_ipv4_networks():
    assert StackSettings(local_nets=" 10.0.0.0/8, 192.168.1.7 ,").local_nets == "10.0.0.0/8,192.168.1.7/32"
    for bad in ("10.0.0.1/8", "fd00::/8", "office"):
        with pytest.raises(ValidationError, match="local_nets"):
            StackSettings(local_nets=bad)


def test_a_certificate_comes_with_its_key():
    for given in ({"tls_cert": Path("c")}, {"tls_key": Path("k")}):
        with pytest.raises(ValidationError, match="ORBIT_TLS_CERT and ORBIT_TLS_KEY are set together"):
            StackSettings(**given)
    assert StackSettings(tls_cert=Path("c"), tls_key=Path("k")).tls_cert == Path.cwd() / "c"
