"""Stage `integrity`: whether each checkpoint of a model is what its step says, judged from all of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.catalogue import VERSIONS
from rare_neurons.checkpoints.manifest import Manifest, read_manifest
from rare_neurons.numerics.integrity.end_loss import warn_above_unigram
from rare_neurons.numerics.integrity.judge import CheckpointVerdict, judge_checkpoints
from rare_neurons.numerics.integrity.limits import IntegrityLimits
from rare_neurons.numerics.integrity.start import Prints, judge_own_start
from rare_neurons.numerics.integrity.tensors import unlike_the_others
from rare_neurons.numerics.panel.means import mean_over_strata, merge_cells
from rare_neurons.tables import digest_of, digest_of_files, from_rows, provenance, read_metadata, read_table, write_rows


def write_integrity(
    output: str,
    *,
    manifests: Sequence[str],
    fingerprints: Sequence[str],
    behaviours: Sequence[str],
    other_starts: Sequence[str],
    panel: Sequence[str] = (),
    model: str,
    thresholds: Mapping[str, float],
) -> None:
    """Judge every checkpoint of a model and write one row for each.

    Parameters
    ----------
    output : str
    manifests, fingerprints, behaviours : sequence of str
        Inputs, one per step in the same order; the behaviour at one panel gives the canary loss; none where only
        spectra are measured.
    other_starts : sequence of str
        Fingerprints of step 0 of the subject's other runs: a run has to descend from its own.
    panel : sequence of str
        Targets of that panel and unigram table of its corpus; without them the last loss is compared with nothing.
    model : str
    thresholds : mapping
        Fields of `IntegrityLimits`.
    """
    checkpoints = [read_manifest(Path(path)) for path in manifests]
    seen = behaviours or [None] * len(checkpoints)
    losses = [None if path is None else _mean_loss(path) for path in seen]
    faults = [_fault(m, f, b) for m, f, b in zip(checkpoints, fingerprints, seen, strict=True)]
    prints = [None if fault else read_table(path) for fault, path in zip(faults, fingerprints, strict=True)]
    odd = unlike_the_others([None if table is None else _tensors(table) for table in prints])
    faults = [("other_tensors", odd[i]) if i in odd else fault for i, fault in enumerate(faults)]
    whole = [i for i, fault in enumerate(faults) if fault is None]
    verdicts = {checkpoints[i].step: _bad(checkpoints[i].step, *fault) for i, fault in enumerate(faults) if fault}
    if whole:
        judged = judge_checkpoints(
            [checkpoints[i].step for i in whole],
            np.stack([_prints(prints[i]).projections for i in whole]),
            digests=[prints[i]["sha256"].to_pylist() for i in whole],
            norms=np.stack([prints[i]["norm"].to_numpy() for i in whole]),
            tensors=_tensors(prints[whole[0]]),
            canary_loss=[losses[i] for i in whole],
            limits=IntegrityLimits(**thresholds),
        )
        verdicts |= {verdict.step: verdict for verdict in judged}
        starts = [_prints(read_table(path)) for path in other_starts]
        foreign = judge_own_start(judged, [_prints(prints[i]) for i in whole], starts)
        verdicts |= {} if foreign is None else {foreign.step: foreign}
        if panel:
            last = verdicts[judged[-1].step]
            verdicts[last.step] = warn_above_unigram(last, losses[whole[-1]], _unigram_loss(*panel))
    rows = [
        {
            "model": model,
            **asdict(verdicts[m.step]),
            "canary_loss": loss,
            "commit": m.commit,
            "weights_sha256": m.weights_digest if m.status == "ok" else None,
        }
        for m, loss in zip(checkpoints, losses, strict=True)
    ]
    inputs = {
        "manifests": digest_of([m.digest for m in checkpoints]),
        "shards": digest_of_files((*fingerprints, *behaviours, *other_starts, *panel)),
    }
    about = provenance("integrity", VERSIONS["integrity"], dict(thresholds), inputs)
    write_rows("integrity", from_rows("integrity", rows), output, about)


def _mean_loss(path: str) -> float | None:
    table = read_table(path, ["stratum", "n_targets", "loss"])
    losses = {"loss": table["loss"].to_numpy()}
    merged = merge_cells(table["stratum"].to_pylist(), table["n_targets"].to_numpy(), losses)
    return mean_over_strata(merged, "loss")


def _unigram_loss(targets: str, unigram: str) -> float | None:
    """Loss of the unigram distribution at the targets, averaged as the canary loss is."""
    table, known = read_table(targets, ["stratum", "target_id"]), read_table(unigram, ["token_id", "probability"])
    probability = np.zeros(1 + max(known["token_id"].to_pylist()))
    probability[known["token_id"].to_numpy()] = known["probability"].to_numpy()
    loss = -np.log(probability[table["target_id"].to_numpy()])
    return mean_over_strata(merge_cells(table["stratum"].to_pylist(), np.ones(len(loss)), {"loss": loss}), "loss")


def _fault(manifest: Manifest, fingerprint: str, behaviour: str | None) -> tuple[str, str] | None:
    if manifest.status != "ok":
        return manifest.status, str(manifest.reason)
    about = read_metadata(fingerprint)
    if about["status"] != "ok":
        return str(about["status"]), str(about["reason"])
    if behaviour is None:
        return None
    about = read_metadata(behaviour)
    n_bad = sum(read_table(fingerprint, ["n_nonfinite"])["n_nonfinite"].to_pylist())
    if about["status"] != "ok" and n_bad == 0:
        return str(about["status"]), str(about["reason"])
    return None


def _tensors(table: pa.Table) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple(zip(table["tensor"].to_pylist(), map(tuple, table["shape"].to_pylist()), strict=True))


def _prints(table: pa.Table) -> Prints:
    names, digests = (tuple(table[column].to_pylist()) for column in ("tensor", "sha256"))
    return Prints(names, digests, np.array(table["projection"].to_pylist(), dtype=np.float64))


def _bad(step: int, status: str, reason: str) -> CheckpointVerdict:
    return CheckpointVerdict(
        step=step,
        status=status,
        reason=reason,
        quarantined=True,
        distance_to_start=None,
        distance_to_previous=None,
        detour=None,
        chord=None,
        tensor_excess=None,
        odd_tensor=None,
        end_distance=None,
        start_z=None,
        canary_z=None,
    )
