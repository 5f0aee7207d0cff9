"""A worker that does as its request says, for tests of what watches over it."""

import os
import sys
import time

from service.speech import frames

while request := frames.read(sys.stdin.buffer):
    head, payload = request
    out = sys.stdout.buffer
    match head["do"]:
        case "echo":
            out.write(frames.packed({"done": False}) + frames.packed({"done": True}, payload))
        case "who":
            out.write(frames.packed({"done": True}, str(os.getpid()).encode()))
        case "environment":
            out.write(frames.packed({"done": True}, "\n".join(os.environ).encode()))
        case "fail":
            out.write(frames.packed({"failed": "it is broken"}))
        case "refuse":
            out.write(frames.packed({"refused": "no audio"}))
        case "die once":
            with open(head["once"], "a+") as seen:  # noqa: PTH123
                seen.seek(0)
                if not seen.read():
                    seen.write("died")
                    sys.exit("last words")
            out.write(frames.packed({"done": True}, b"second"))
        case "die":
            sys.exit("last words")
        case "hang":
            time.sleep(60)
        case "babble":
            out.write(b"what?\n")
    out.flush()
