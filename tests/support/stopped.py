"""A process that hangs: stopped by the kernel, its sockets open."""

import os
import signal
import subprocess


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGSTOP, and return once it stands still.

    The signal is only on its way when ``kill`` returns: a thread on another core may still answer a question.
    """
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
