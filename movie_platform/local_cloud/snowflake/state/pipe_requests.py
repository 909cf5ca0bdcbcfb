"""What statements about pipes tell Snowpipe's workers: that there are other pipes, and that files wait."""

import threading


class PipeRequests:
    """Two events. A worker waits for one, clears it and looks at the store; a look too many does no harm."""

    def __init__(self) -> None:
        self.pipes_changed = threading.Event()
        self.files_wait = threading.Event()

    def changed(self) -> None:
        """After a pipe was created, changed or dropped: perhaps events come now, perhaps its files may be loaded."""
        self.pipes_changed.set()
        self.files_wait.set()
