"""The command line, called as its users call it."""

import io
import os
import signal
import subprocess
import sys
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout

from clipdraw import cli


def process(*arguments, cwd, **settings):
    """What `clipdraw` ends with, in a process of its own."""
    command = [sys.executable, "-m", "clipdraw", *map(str, arguments)]
    settings = {"text": True, "timeout": 120, "check": False, **settings}
    return subprocess.run(command, cwd=cwd, capture_output=True, **settings)


def clipdraw(*arguments, cwd):
    """What `clipdraw` ends with, in this process, which is left as it was: all but the seconds of a new one."""
    words = ["clipdraw", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    err.reconfigure(errors="backslashreplace")
    former, terminated = sys.argv, signal.getsignal(signal.SIGTERM)
    try:
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("default")
            sys.argv = words
            cli.main()
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        sys.argv = former
        signal.signal(signal.SIGTERM, terminated)
    told, noted = (stream.buffer.getvalue().decode(errors="surrogateescape") for stream in (out, err))
    return subprocess.CompletedProcess(words, code, told.replace(os.linesep, "\n"), noted.replace(os.linesep, "\n"))
