"""What the network does for a while is waited out; what it does for good is told in one sentence."""

import threading
from dataclasses import replace

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError

from rare_neurons.checkpoints.retry import HubUnreachable, Stopped, with_retries
from tests.checkpoints.tiny import IMPATIENT, WEIGHTS, bytes_of_weights, fetched, listing, served, whole
from tests.hub.server import Fault


@pytest.mark.parametrize(
    "fault",
    [
        Fault(WEIGHTS, times=2, status=503),
        Fault(WEIGHTS, times=2, status=429, headers={"Retry-After": "0"}),
        Fault(WEIGHTS, stall=0.8),
        Fault(r"GET /lab/.*/resolve/.*", times=2, status=502),
    ],
    ids=["503 twice", "429", "stall", "502 before the redirect"],
)
def test_passing_faults_are_waited_out(hub, tmp_path, fault):
    expected = served(hub)
    hub.faults.append(fault)
    assert fetched(hub, tmp_path) == expected
    assert whole(hub) == {"model.safetensors": 1, "config.json": 1}


def test_retry_after_is_obeyed(hub, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr("rare_neurons.checkpoints.retry._sleep", lambda seconds, _stop: waits.append(seconds))
    hub.faults.append(Fault(WEIGHTS, status=429, headers={"Retry-After": "7"}))
    hub.faults.append(Fault(WEIGHTS, status=503))
    fetched(hub, tmp_path)
    assert waits[0] == 7
    assert waits[1] < 0.1


def test_many_cuts_are_no_reason_to_give_up_as_long_as_bytes_arrive(hub, tmp_path):
    hub.faults.append(Fault(WEIGHTS, times=8, cut=1500))
    assert fetched(hub, tmp_path) == served(hub)


def test_503_for_ever_fails_and_a_later_run_resumes(hub, tmp_path):
    expected = served(hub)
    hub.faults += [Fault(WEIGHTS, cut=6000), Fault(WEIGHTS, times=100, status=503)]
    with pytest.raises(HubUnreachable, match=r"model\.safetensors of lab/pythia at step2 .*answered 503"):
        fetched(hub, tmp_path)
    hub.faults.clear()
    assert fetched(hub, tmp_path) == expected
    assert bytes_of_weights(hub) == len(expected)


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429, "headers": {"Retry-After": "0"}}, {"status": 500}])
def test_metadata_requests_are_tried_again(hub, fault):
    hub.faults += [Fault("refs", times=2, **fault), Fault("revision", times=2, **fault)]
    assert listing(hub).manifest("m", 2).status == "ok"


def test_a_hub_that_keeps_failing_is_a_fault_of_the_machine(hub):
    hub.faults.append(Fault("refs|revision", times=100, status=503))
    for template, what in (("step{step}", "files of lab/pythia at step2"), ("*p{step}", "revisions of lab/pythia")):
        with pytest.raises(HubUnreachable, match=f"{what}: the server answered 503 in 4 tries; connect"):
            listing(hub, template).manifest("m", 2)


def test_no_network_is_one_sentence_that_says_what_to_do(hub):
    hub.server_close()
    with pytest.raises(HubUnreachable, match=r"in 4 tries; connect to the network, or fetch the checkpoints") as caught:
        listing(hub).manifest("m", 2)
    assert "\n" not in str(caught.value)


def test_tries_in_a_row_without_a_new_byte_are_counted_and_others_are_not():
    """Three failures came with a new byte each; the fourth in a row without one is the last."""
    bytes_on_disk = iter([0, 1, 2, 3, 3, 3, 3])
    calls = []

    def fail():
        calls.append(1)
        raise HTTPError("cut")

    with pytest.raises(HubUnreachable, match=r"a file: .*cut.* in 4 tries"):
        with_retries(fail, network=IMPATIENT, what="a file", position=lambda: next(bytes_on_disk))
    assert len(calls) == 6


def test_what_is_no_fault_of_the_network_is_not_tried_again():
    calls = []

    def fail():
        calls.append(1)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        with_retries(fail, network=IMPATIENT, what="a file")
    assert len(calls) == 1


def test_whoever_no_longer_waits_is_not_kept(hub):
    hub.faults.append(Fault("revision", times=100, status=503))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        with_retries(lambda: ask(hub), network=replace(IMPATIENT, first_wait_s=60), what="a listing", stop=stop)


def ask(hub):
    return HfApi(endpoint=hub.url).model_info("lab/pythia", revision="step2")
