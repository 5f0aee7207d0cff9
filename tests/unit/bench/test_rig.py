from bench.rig import deepest

TABLE = """
Processor                        Processed   In Queue  Max Depth  Low water High water Low time(us) High time(us)
ast_msg_queue                            0          0          0        450        500          0          0
stasis/p:channel:all-00000007         1234          3         87        450        500          0          0
pjsip/default-0000001a                  90          0         12        450        500          0          0

3 taskprocessors
"""


def test_the_longest_queue():
    assert deepest(TABLE) == 87


def test_no_table():
    assert deepest("Unable to connect to remote asterisk") == 0
