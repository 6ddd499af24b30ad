"""Which failures of the network are worth another try, and how long to wait for it."""

import email.utils
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import tenacity
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

Result = TypeVar("Result")

_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
# By name: the Hub's client has changed the package that these come from.
_UNCONNECTED = ("ConnectError", "ConnectTimeout")
_LONGEST_RETRY_AFTER = 3600.0  # seconds; a server that asks for more is taken to be down


class HubUnreachable(ConnectionError):
    """The Hub cannot be reached, or kept failing: a fault of the machine or the network, not of the data."""


@dataclass(frozen=True)
class Network:
    """How patient to be with the network.

    Attributes
    ----------
    attempts : int
        Tries in a row without a new byte before giving up.
    connect_attempts : int
        The same where no connection is made at all; small where somebody waits for the answer.
    first_wait_s, max_wait_s : float
        Back-off doubles from the one to the other, with jitter; a server's Retry-After takes precedence.
    timeout_s : float
        Silence after which a connection counts as lost; by default the Hub client's own (``HF_HUB_DOWNLOAD_TIMEOUT``,
        10 s).
    progress : bool
        Whether to show progress bars on standard error.
    """

    attempts: int = 6
    connect_attempts: int = 6
    first_wait_s: float = 1.0
    max_wait_s: float = 60.0
    timeout_s: float = float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
    progress: bool = True


class Stopped(Exception):
    """The work was no longer wanted; what was fetched stays for a later resume."""


def with_retries(
    call: Callable[[], Result],
    *,
    network: Network,
    what: str,
    position: Callable[[], int] = lambda: 0,
    stop: threading.Event | None = None,
) -> Result:
    """Call until it succeeds; give up after `network.attempts` failures in a row at the same `position()`.

    Raises
    ------
    HubUnreachable
        If the network fails for good, or is switched off (``HF_HUB_OFFLINE``).
    Stopped
        If `stop` was set while waiting.
    """
    patience = _Patience(network, position)
    back_off = tenacity.wait_exponential(multiplier=network.first_wait_s, max=network.max_wait_s)
    back_off += tenacity.wait_random(0, network.first_wait_s)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_transient),
        stop=patience,
        wait=lambda state: max(_retry_after(state.outcome.exception()), back_off(state)),
        sleep=lambda seconds: _sleep(seconds, stop),
        before_sleep=lambda state: print(
            f"{what}: {_cause(state.outcome.exception())}; next try in {state.next_action.sleep:.1f} s", file=sys.stderr
        ),
        reraise=True,
    )
    try:
        return retrying(call)
    except OfflineModeIsEnabled as error:
        raise HubUnreachable(
            f"{what}: not in the local cache, and HF_HUB_OFFLINE forbids the network; unset it, or fetch the "
            "checkpoints beforehand where there is a network"
        ) from error
    except HTTPError as error:
        if not _is_transient(error):
            raise
        raise HubUnreachable(
            f"{what}: {_cause(error)} in {patience.failures} tries; connect to the network, or fetch the checkpoints "
            "beforehand where there is one, and run again"
        ) from error


class _Patience:
    """Stop rule of tenacity: so many failures in a row without progress."""

    def __init__(self, network: Network, position: Callable[[], int]) -> None:
        self.network, self.position = network, position
        self.failures, self.last = 0, position()

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        here = self.position()
        self.failures = 1 if here > self.last else self.failures + 1
        self.last = here
        error = state.outcome.exception()
        unconnected = type(error).__name__ in _UNCONNECTED
        limit = min(self.network.attempts, self.network.connect_attempts) if unconnected else self.network.attempts
        return self.failures >= limit or _retry_after(error) > _LONGEST_RETRY_AFTER


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in _TRANSIENT_STATUS
    return isinstance(error, HTTPError)


def _retry_after(error: BaseException | None) -> float:
    """Seconds that the server asked for: a number or a date; 0 where it did not."""
    if not isinstance(error, HfHubHTTPError):
        return 0.0
    value = error.response.headers.get("Retry-After", "").strip()
    if not value:
        return 0.0
    if value.isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _cause(error: BaseException) -> str:
    if isinstance(error, HfHubHTTPError):
        return f"the server answered {error.response.status_code}"
    return f"{type(error).__name__} ({str(error) or 'no details'})"


def _sleep(seconds: float, stop: threading.Event | None) -> None:
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise Stopped
