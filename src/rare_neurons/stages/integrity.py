"""Stage `integrity`: whether each checkpoint of a model is what its step says, judged from all of them together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.checkpoints.manifest import Manifest, read_manifest
from rare_neurons.numerics.integrity.descent import judge_descent
from rare_neurons.numerics.integrity.judge import CheckpointVerdict, judge_checkpoints
from rare_neurons.tables import digest_of, file_sha256, provenance, read_metadata, read_table, schema_of, write_table

SCHEMA = schema_of(CheckpointVerdict, [("model", pa.string())])
for _name in ("canary_loss", "commit", "weights_sha256"):
    SCHEMA = SCHEMA.append(pa.field(_name, pa.float64() if _name == "canary_loss" else pa.string()))


def write_integrity(
    output: str,
    *,
    manifests: Sequence[str],
    fingerprints: Sequence[str],
    behaviours: Sequence[str],
    other_starts: Sequence[str],
    model: str,
    thresholds: Mapping[str, float],
    version: int,
) -> None:
    """Judge every checkpoint of a model and write one row for each.

    Parameters
    ----------
    output : str
    manifests, fingerprints, behaviours : sequence of str
        Inputs, one per step in the same order; the behaviour at one panel gives the canary loss.
    other_starts : sequence of str
        Fingerprints of step 0 of the group's other runs: a run has to descend from its own.
    model : str
    thresholds : mapping
        Keyword arguments of `judge_checkpoints`.
    version : int
    """
    checkpoints = [read_manifest(Path(path)) for path in manifests]
    losses = [_mean_loss(path) for path in behaviours]
    faults = [_fault(m, f, b) for m, f, b in zip(checkpoints, fingerprints, behaviours, strict=True)]
    prints = [None if fault else read_table(path) for fault, path in zip(faults, fingerprints, strict=True)]
    faults = _unlike_the_others(prints, faults)
    whole = [i for i, fault in enumerate(faults) if fault is None]
    verdicts = {checkpoints[i].step: _bad(checkpoints[i].step, *fault) for i, fault in enumerate(faults) if fault}
    if whole:
        judged = judge_checkpoints(
            [checkpoints[i].step for i in whole],
            np.stack([_projection(prints[i]) for i in whole]),
            [prints[i]["sha256"].to_pylist() for i in whole],
            [int(np.prod(shape)) for shape in prints[whole[0]]["shape"].to_pylist()],
            canary_loss=[losses[i] for i in whole],
            **thresholds,
        )
        verdicts |= {verdict.step: verdict for verdict in judged}
        starts = [read_table(path) for path in other_starts]
        verdicts |= _foreign_start([verdicts[checkpoints[i].step] for i in whole], [prints[i] for i in whole], starts)
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
        "shards": digest_of([file_sha256(path) for path in (*fingerprints, *behaviours, *other_starts)]),
    }
    write_table(
        pa.Table.from_pylist(rows, schema=SCHEMA), output, provenance("integrity", version, dict(thresholds), inputs)
    )


def _mean_loss(path: str) -> float | None:
    """Mean over strata of their mean loss: every stratum counts alike, so that a fault on rare tokens shows."""
    table = read_table(path, ["stratum", "n_targets", "loss"])
    if table.num_rows == 0:
        return None
    stratum = np.asarray(table["stratum"].to_pylist())
    n, loss = table["n_targets"].to_numpy(), table["loss"].to_numpy()
    return float(np.mean([np.average(loss[stratum == s], weights=n[stratum == s]) for s in np.unique(stratum)]))


def _fault(manifest: Manifest, fingerprint: str, behaviour: str) -> tuple[str, str] | None:
    if manifest.status != "ok":
        return manifest.status, str(manifest.reason)
    about = read_metadata(fingerprint)
    if about["status"] != "ok":
        return str(about["status"]), str(about["reason"])
    about = read_metadata(behaviour)
    n_bad = sum(read_table(fingerprint, ["n_nonfinite"])["n_nonfinite"].to_pylist())
    if about["status"] != "ok" and n_bad == 0:
        return str(about["status"]), str(about["reason"])
    return None


def _unlike_the_others(
    prints: Sequence[pa.Table | None], faults: Sequence[tuple[str, str] | None]
) -> list[tuple[str, str] | None]:
    """Mark checkpoints whose tensors are not those that most others have."""
    names = [
        None if p is None else tuple(zip(p["tensor"].to_pylist(), map(tuple, p["shape"].to_pylist()), strict=True))
        for p in prints
    ]
    known = Counter(n for n in names if n is not None)
    if not known:
        return list(faults)
    usual = known.most_common(1)[0][0]
    result = list(faults)
    for index, found in enumerate(names):
        if found is not None and found != usual:
            odd = sorted({name for name, _ in set(found) ^ set(usual)})
            result[index] = (
                "other_tensors",
                f"{len(odd)} tensors differ in name or shape from the other steps', first {odd[0]!r}",
            )
    return result


def _foreign_start(
    verdicts: Sequence[CheckpointVerdict], prints: Sequence[pa.Table], others: Sequence[pa.Table]
) -> dict[int, CheckpointVerdict]:
    """Quarantine step 0 if the first step that differs from it is nearer to the start of another run of the group."""
    start, sha256 = verdicts[0], prints[0]["sha256"].to_pylist()
    later = (i for i, v in enumerate(verdicts) if not v.quarantined and prints[i]["sha256"].to_pylist() != sha256)
    early = next(later, None)
    like = [table for table in others if table["tensor"].equals(prints[0]["tensor"])]
    if start.step != 0 or start.quarantined or early is None or not like:
        return {}
    starts = np.stack([_projection(table) for table in like])
    found = judge_descent(_projection(prints[early]), _projection(prints[0]), starts)
    if found.descends is not False:
        return {}
    reason = (
        f"step {verdicts[early].step} has cosine {found.own:.3f} with this start and {found.best_other:.3f} with that "
        "of another run of the group"
    )
    return {0: replace(start, status="foreign_start", reason=reason, quarantined=True)}


def _projection(table: pa.Table) -> np.ndarray:
    return np.array(table["projection"].to_pylist(), dtype=np.float64)


def _bad(step: int, status: str, reason: str) -> CheckpointVerdict:
    return CheckpointVerdict(
        step=step,
        status=status,
        reason=reason,
        quarantined=True,
        distance_to_start=None,
        distance_to_previous=None,
        detour=None,
        start_z=None,
        canary_z=None,
    )
