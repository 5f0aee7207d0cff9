"""The folder of prompts."""

import errno
import hashlib
from pathlib import Path

import pytest

from service.speech.engine import Voice
from service.speech.errors import SpeechUnavailable
from service.speech.prompts import Prompts, key_of

WAV = bytes(44) + bytes(16_000)
VOICE = Voice("fake", "anna", "en-US")


def test_a_prompt_is_named_by_its_content_and_found_by_its_text(tmp_path):
    prompts = Prompts(tmp_path / "prompts")
    key = key_of(VOICE, "1", "hello")
    assert prompts.find(key, "fake") is None
    kept = prompts.keep(WAV, "fake", key)
    assert kept.hash == hashlib.sha256(WAV).hexdigest()[:40]
    assert kept.path == tmp_path / "prompts" / f"{kept.hash}.wav"
    assert kept.path.read_bytes() == WAV
    assert kept.duration_ms == 1000
    assert prompts.find(key, "fake") == kept


def test_the_same_sound_of_two_texts_is_one_file(tmp_path):
    prompts = Prompts(tmp_path)
    assert prompts.keep(WAV, "fake", "a").path == prompts.keep(WAV, "fake", "b").path
    assert len(list(tmp_path.glob("*.wav"))) == 1


def test_a_file_that_was_deleted_is_not_found(tmp_path):
    prompts = Prompts(tmp_path)
    prompts.keep(WAV, "fake", "key").path.unlink()
    assert prompts.find("key", "fake") is None
    assert prompts.find(prompts.keep(WAV, "fake", "key").hash, "fake") is None
    assert prompts.find("key", "fake") is not None


def test_a_key_tells_voices_versions_and_words_apart():
    keys = [
        key_of(VOICE, "1", "hello"),
        key_of(VOICE, "2", "hello"),
        key_of(VOICE, "1", "Hello"),
        key_of(Voice("other", "anna", "en-US"), "1", "hello"),
        key_of(Voice("fake", "bea", "en-US"), "1", "hello"),
        key_of(Voice("fake", "anna", "en-GB"), "1", "hello"),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(VOICE, "1", "hello") == keys[0]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SpeechUnavailable, match="No space left"):
        Prompts(tmp_path).keep(WAV, "fake", "key")
    assert [p for p in Path(tmp_path).rglob("*") if p.is_file()] == []
