"""Links by which nodes fetch prompts, and nobody else."""

import pytest

from service.control.prompt_links import PromptLinks

NAME = "0a1b2c"


@pytest.fixture
def links(tmp_path):
    (tmp_path / f"{NAME}.wav").write_bytes(b"RIFF")
    (tmp_path.parent / "secret.wav").write_bytes(b"RIFF")
    return PromptLinks("http://orbit:8080", b"secret", tmp_path)


def parts(link):
    return link.removesuffix(".wav").split("/")[-2:]


def test_a_link_of_ours_leads_to_the_file(links):
    link = links.of(NAME)
    assert link.startswith("http://orbit:8080/prompts/")
    assert not set("=,;|&?") & set(link)  # the dialplan's own
    signature, name = parts(link)
    assert links.signed(name, signature) == links.file(NAME) == links.folder / f"{NAME}.wav"


@pytest.mark.parametrize("change", [lambda s: "", lambda s: s[:-1], lambda s: s.upper() + "0", lambda s: "é" * 64])
def test_another_signature_leads_nowhere(links, change):
    signature, name = parts(links.of(NAME))
    assert links.signed(name, change(signature)) is None


def test_a_signature_is_of_one_prompt_and_of_one_secret(links):
    signature, _ = parts(links.of("ffff"))
    assert links.signed(NAME, signature) is None
    other = PromptLinks(links.base, b"another", links.folder)
    assert links.signed(NAME, parts(other.of(NAME))[0]) is None


@pytest.mark.parametrize("name", ["../secret", "..", "", "a/b", "0a1b2c.wav", "gone", "é", "a\0b"])
def test_no_name_leads_out_of_the_folder_though_it_be_signed(links, name):
    assert links.signed(name, links._signature(name)) is None


def test_the_secret_is_in_no_log(links):
    assert "secret'" not in repr(links)
    assert "b'" not in repr(links)
