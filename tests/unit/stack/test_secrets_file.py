"""The secrets of an install: made once, then kept."""

import re
import stat

from service.stack import secrets_file

FORMS = {
    "ORBIT_LIVE_KEY": r"dv_live_sk_[0-9a-f]{40}",
    "ORBIT_TEST_KEY": r"dv_test_sk_[0-9a-f]{40}",
    "ORBIT_WEBHOOK_SECRET": r"whsec_[0-9a-f]{48}",
    "ORBIT_ARI_PASSWORD": r"[0-9a-f]{40}",
    "ORBIT_AMI_PASSWORD": r"[0-9a-f]{40}",
}


def test_each_has_its_form_and_no_two_installs_share_one(tmp_path):
    one, other = (secrets_file.ensure(tmp_path / name) for name in ("one", "other"))
    assert one.keys() == FORMS.keys()
    for name, form in FORMS.items():
        assert re.fullmatch(form, one[name])
        assert one[name] != other[name]
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def test_the_second_start_keeps_them_and_makes_what_is_missing(tmp_path):
    path = tmp_path / "secrets.env"
    first = secrets_file.ensure(path)
    assert secrets_file.ensure(path) == first
    path.write_text("".join(f"{name}={value}\n" for name, value in first.items() if name != "ORBIT_TEST_KEY"))
    second = secrets_file.ensure(path)
    assert second.pop("ORBIT_TEST_KEY") != first.pop("ORBIT_TEST_KEY")
    assert second == first
