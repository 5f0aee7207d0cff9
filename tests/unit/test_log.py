"""What the log shows of a failure: where it happened, never what was in the variables there."""

import logging

import structlog

from service import log


def test_a_trace_has_no_values_of_variables(capsys):
    before = structlog.get_config()
    try:
        log.configure("info")
        api_key = "dv_live_sk_" + "secret"
        try:
            raise RuntimeError("boom")
        except RuntimeError:
            structlog.get_logger().exception("request failed")
            logging.getLogger("aiohttp.server").exception("Unhandled exception")
        shown = capsys.readouterr().out
        assert shown.count("boom") == 2
        assert api_key not in shown
    finally:
        structlog.configure(**before)
        logging.basicConfig(force=True)
