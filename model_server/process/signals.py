"""SIGTERM and SIGINT, taken by a thread of their own.

A Python signal handler runs only when the main thread next runs Python code. If the signal arrives on a thread of
TensorFlow's, or an instant before the main thread goes to sleep on a lock, nothing wakes it: the server would never
end. So both signals are blocked in every thread, and one thread asks for them.
"""

import signal
import threading
from collections.abc import Callable

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """The first signal ends a server that does not listen yet, and drains one that does; a second kills it."""

    def __init__(self, end: Callable[[], None]) -> None:
        """Call it in the main thread before any other thread starts: they inherit what it blocks. `end` exits."""
        self._end = end
        self._listening = False
        self._arrived = threading.Event()
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        threading.Thread(target=self._take, name="signals", daemon=True).start()

    def listening(self) -> None:
        """From now on the first signal lets running requests finish."""
        self._listening = True

    def wait(self) -> None:
        """Returns once a signal has come."""
        self._arrived.wait()

    def _take(self) -> None:
        signal.sigwait(SIGNALS)
        if not self._listening:
            # Nothing runs that would have to be finished.
            self._end()
        self._arrived.set()
        # The next one finds its default action in this thread, and does not wait.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # A blocked thread stays one to deliver to; an ended one would leave the signal pending.
        threading.Event().wait()
