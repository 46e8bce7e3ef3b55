"""A process that has LECO loaded and runs its command lines and programs in children, within milliseconds.

`python -m tests.pages.warm SOCKET ENCODER DATA` listens; the stand-ins `leco` and `python` that `install` puts into a
folder for the path send it their arguments, folder and standard streams. So a page's blocks run in a real shell, with
pipes and jobs, but neither import PyTorch each time nor train a real encoder: `demo/all-MiniLM-L6-v2` is a tiny one,
and `demo/rotten_tomatoes` is a small file.
"""

import os
import runpy
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

CLIENT = """#!{python} -IS
import array, os, signal, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
message = "\\0".join([os.getcwd(), {name!r}, *sys.argv[1:]]).encode()
streams = array.array("i", [0, 1, 2])
link.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
child = int(link.recv(16))
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda number, frame: os.kill(child, number))
sys.exit(int(link.recv(16)))
"""


def install(folder: Path, address: Path) -> None:
    """Write the stand-ins into a folder, and one for `pip`, since all is installed."""
    for name in ("leco", "python"):
        (folder / name).write_text(CLIENT.format(python=sys.executable, address=str(address), name=name))
    (folder / "pip").write_text("#!/bin/sh\n")
    for path in folder.iterdir():
        path.chmod(0o755)


def use(encoder: Path, data: Path) -> None:
    """Put the tiny encoder and the small file in the place of what the demo and the Hub have."""
    import leco.data.sources
    import leco.model.pretrained
    from leco.data import load_data

    leco.model.pretrained.minilm_folder = lambda: encoder
    leco.data.sources.DEMOS = {"rotten_tomatoes": lambda seed: load_data(str(data))}


def run(name: str, arguments: list[str]) -> None:
    """A command line of `leco`, or a program in Python: `-c CODE`, `-m MODULE` or a file."""
    if name == "leco":
        from leco.cli import main

        sys.argv = ["leco", *arguments]
        main()
    sys.argv, sys.path = arguments, ["", *sys.path]
    if arguments[0] == "-c":
        exec(compile(arguments[1], "<block>", "exec"), {"__name__": "__main__"})
    elif arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(arguments[0], run_name="__main__")


def answer(link: socket.socket) -> None:
    """Run what a client asks for in a child, and tell the client its number and then its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, _, _ = socket.recv_fds(link, 2**20, 3)
    folder, name, *arguments = message.decode().split("\0")
    child = os.fork()
    if not child:
        code = 1
        try:
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.chdir(folder)
            run(name, arguments)
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            with suppress(OSError):
                sys.stdout.flush()
            os._exit(code)
    for stream in streams:
        os.close(stream)
    link.send(str(child).encode())
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        link.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def main(address: str, encoder: str, data: str) -> None:
    """Load everything, then serve one client after the other, each in a process of its own."""
    import leco.bench
    import leco.certifying
    import leco.cli
    import leco.export
    import leco.pipeline
    import leco.report
    import leco.serving.server  # noqa: F401

    use(Path(encoder), Path(data))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who has answered is gone
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    os.write(1, b"ready\n")
    while True:
        link, _ = listener.accept()
        if not os.fork():
            listener.close()
            answer(link)
        link.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
