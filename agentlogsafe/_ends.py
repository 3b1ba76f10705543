"""Where a process ends without `atexit`: the children of multiprocessing, and the workers of Celery."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def at_end_of_child(function: Callable[[], None], priority: int) -> None:
    """Have *function* called at the end of this process, if it is one that ends without `atexit`.

    Asked for in every process anew, when the first record comes: multiprocessing forgets it in a child.

    Args:
        function: called once or more.
        priority: the greater, the earlier; negative, so that what the application has registered comes before.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, function, exitpriority=priority)
    signals = sys.modules.get("celery.signals")
    if signals is not None:
        # Its prefork workers end by os._exit (billiard.pool.Worker), a second after this signal.
        signals.worker_process_shutdown.connect(
            lambda **_: function(), weak=False, dispatch_uid=f"{function.__module__}.{function.__name__}"
        )
