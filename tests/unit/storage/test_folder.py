"""Recordings on disk: whole or not at all, the caller on the left."""

import array
import wave

import pytest

from service.calls.ids import mint
from service.storage.folder import Folder


def raw_file(path, frames):
    path.write_bytes(array.array("h", [s for frame in frames for s in frame]).tobytes())
    return path


@pytest.mark.parametrize(("swap", "first"), [(False, (1, 2)), (True, (2, 1))])
async def test_the_channels_are_where_they_belong(tmp_path, swap, first):
    call_id, folder = mint("call"), Folder(tmp_path / "recordings")
    length = await folder.keep(call_id, raw_file(tmp_path / "x.raw", [(1, 2)] * 4000), swap)
    with wave.open(str(folder.find(call_id))) as found:
        assert (found.getnchannels(), found.getframerate(), found.getsampwidth()) == (2, 8000, 2)
        assert found.getnframes() == 4000
        assert tuple(array.array("h", found.readframes(1))) == first
    assert length == 500


async def test_a_torn_last_frame_is_left_out(tmp_path):
    call_id, folder = mint("call"), Folder(tmp_path)
    (tmp_path / "x.raw").write_bytes(b"\x01\x00\x02\x00\x03")
    assert await folder.keep(call_id, tmp_path / "x.raw", swap=True) == 0
    assert folder.find(call_id).stat().st_size == 44 + 4


async def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    call_id, folder = mint("call"), Folder(tmp_path)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.storage.folder.write_wav", full)
    with pytest.raises(OSError, match="No space"):
        await folder.keep(call_id, raw_file(tmp_path / "x.raw", [(1, 2)]), swap=False)
    assert folder.find(call_id) is None
    assert not list(tmp_path.rglob("*.part"))


def test_only_calls_have_recordings(tmp_path):
    with pytest.raises(ValueError, match="not the id"):
        Folder(tmp_path).find("../../etc/passwd")
