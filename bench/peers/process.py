"""One measurement: a new process, its last line, its time and its memory."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

# PyTorch and TensorFlow allocate each activation again. By default the C library returns such
# memory to the kernel and requests it again, which takes a sixth of PyTorch's training step.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 31)}


def measured(command: list[str], threads: int, keep_memory: bool, log: Path,
             limit: float | None) -> dict:
    """Returns the figures, or the error in one line. Other output goes to the log."""
    kept = KEEP_MEMORY if keep_memory else {}
    environment = {**os.environ, **kept, "OMP_NUM_THREADS": str(threads),
                   "TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    # A new session, so that its child processes end with it.
    with log.open("wb") as complaints, subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=complaints,
            start_new_session=True) as process:
        timer = threading.Timer(limit or threading.TIMEOUT_MAX, stop, [process])
        timer.daemon = True
        timer.start()
        try:
            output = process.stdout.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            stop(process)
            raise
        finally:
            timer.cancel()
    seconds = time.perf_counter() - start
    if process.returncode != 0:
        return {"error": f"ended with {process.returncode}: {last_line(log)}"}
    figures = json.loads(output.splitlines()[-1])
    return {**figures, "seconds": seconds, "peak_mb": usage.ru_maxrss / 1024}


def stop(process: subprocess.Popen) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "no error message")
