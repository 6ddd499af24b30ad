"""The one list of what the pipeline makes: every rule with its version, every table with its path, rows and columns.

From it follow the outputs of the rules, the Arrow schemas, the timelines, the names that loaders know, the sections
that a configuration needs and the tables of ``results/README.md``. Light to import: every cluster job reads it again.

To add a table, define its row (a frozen dataclass whose fields are `rare_neurons.columns.Column`-annotated) where it is
computed, and name it here.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field

_N = "rare_neurons.numerics"
_STRATUM = ("stratum",)
_CELL = ("stratum", "fold", "type_bin")


@dataclass(frozen=True)
class Table:
    """One kind of Parquet file.

    Attributes
    ----------
    path : str
        Below the results folder, with wildcards.
    grain : str
        What one row is.
    row : str
        ``module:dataclass`` of the columns that follow those of `place`.
    computed_in : str
        ``module:function`` that computes the values.
    keys : tuple of str
        Columns which, with those of `place`, tell rows apart and order them.
    place : tuple of str
        Columns that say where a row belongs (`rare_neurons.columns.PLACE`).
    timeline : str or None
        ``module:dataclass`` of the rows that the timeline of this quantity joins; None where it has none.
    timeline_keys : tuple of str or None
        Keys of those rows, where they are not the table's own.
    """

    path: str
    grain: str
    row: str
    computed_in: str
    keys: tuple[str, ...]
    place: tuple[str, ...] = ("panel", "model", "step")
    timeline: str | None = None
    timeline_keys: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Folders of the path up to the first wildcard, and the file's name where that is fixed."""
        parts = self.path.removesuffix(".parquet").split("/")
        return "/".join(part for part in parts if "{" not in part)

    @property
    def wildcards(self) -> tuple[str, ...]:
        """Names in braces, in the order of the path."""
        return tuple(part.split("}")[0] for part in self.path.split("{")[1:])


@dataclass(frozen=True)
class Rule:
    """One rule of the DAG that computes something.

    Attributes
    ----------
    name : str
    version : int
        Of what it computes: raise it when results change (Snakemake does not see edits in here).
    tables : tuple of Table
        What it writes.
    sections : tuple of str
        Sections of the configuration that it reads.
    metric : str or None
        ``module:function`` taking an `InfluenceShard` and the options of its section, returning for each of its tables
        a list of rows: such a rule needs no script of its own.
    null_tables : bool
        Whether that function also reads the null tables of the regime test, as ``null_tables``.
    """

    name: str
    version: int
    tables: tuple[Table, ...] = ()
    sections: tuple[str, ...] = ()
    metric: str | None = field(default=None)
    null_tables: bool = False


def _of_checkpoint(name: str, grain: str, row: str, computed_in: str, **more: object) -> Table:
    return Table(f"{name}/{{panel}}/{{model}}/step{{step}}.parquet", grain, row, computed_in, **more)


_PROBE = "rare_neurons.models.influence.probe:probe_model"
_ROWS = f"{_N}.influence.rows"
_INTERVAL = ("panel", "model", "step_before", "step")
_LAYERS = f"{_N}.layers"

RULES = (
    Rule(
        "text",
        version=3,
        sections=("corpora",),
        tables=(
            Table(
                "text/{corpus}.parquet",
                "document",
                row=f"{_N}.panel.rows:DocumentRow",
                computed_in="rare_neurons.corpora.sources:iter_documents",
                keys=("index",),
                place=(),
            ),
        ),
    ),
    Rule("tokenizer", version=1, sections=("tokenizers",)),
    Rule(
        "corpus",
        version=3,
        sections=("corpora", "tokenizers"),
        tables=(
            Table(
                "corpus/{corpus}/{tokenizer}/tokens.parquet",
                "document",
                row=f"{_N}.panel.rows:TokensRow",
                computed_in="rare_neurons.stages.corpus:write_corpus",
                keys=("index",),
                place=(),
            ),
            Table(
                "corpus/{corpus}/{tokenizer}/unigram.parquet",
                "token type",
                row=f"{_N}.panel.rows:UnigramRow",
                computed_in="rare_neurons.stages.corpus:write_corpus",
                keys=("token_id",),
                place=(),
            ),
        ),
    ),
    Rule(
        "panel",
        version=3,
        sections=("panels", "corpora", "tokenizers"),
        tables=(
            Table(
                "panel/{panel}/contexts.parquet",
                "context",
                row=f"{_N}.panel.rows:ContextRow",
                computed_in=f"{_N}.panel.contexts:cut_contexts",
                keys=("context",),
                place=(),
            ),
            Table(
                "panel/{panel}/targets.parquet",
                "target",
                row=f"{_N}.panel.rows:TargetRow",
                computed_in=f"{_N}.panel.targets:draw_targets",
                keys=("stratum", "target_id", "context", "position"),
                place=(),
            ),
            Table(
                "panel/{panel}/strata.parquet",
                "stratum",
                row=f"{_N}.panel.rows:StratumRow",
                computed_in=f"{_N}.panel.grid:measure_strata",
                keys=_STRATUM,
                place=(),
            ),
        ),
    ),
    Rule("pretrain", version=2, sections=("recipes", "models", "corpora", "tokenizers")),
    Rule("resolve", version=2, sections=("models", "tokenizers", "cache")),
    Rule(
        "probe",
        version=7,
        sections=("probe", "panels", "cache"),
        tables=(
            _of_checkpoint(
                "influence",
                "stratum x neuron",
                row=f"{_ROWS}:InfluenceRow",
                computed_in=_PROBE,
                keys=("stratum", "neuron"),
                timeline=f"{_N}.influence.summary:InfluenceSummaryRow",
                timeline_keys=_STRATUM,
            ),
            _of_checkpoint(
                "cells",
                "stratum x fold x type bin; lists over neurons",
                row=f"{_ROWS}:CellRow",
                computed_in=_PROBE,
                keys=_CELL,
            ),
            _of_checkpoint(
                "behaviour",
                "stratum x fold x type bin",
                row=f"{_ROWS}:BehaviourRow",
                computed_in=_PROBE,
                keys=_CELL,
                timeline=f"{_ROWS}:BehaviourSummaryRow",
                timeline_keys=_STRATUM,
            ),
            _of_checkpoint(
                "moments",
                "stratum x draw x fold x type bin",
                row=f"{_ROWS}:MomentRow",
                computed_in=_PROBE,
                keys=("stratum", "draw", "fold", "type_bin"),
                timeline=f"{_ROWS}:MomentSummaryRow",
                timeline_keys=_STRATUM,
            ),
            _of_checkpoint("activations", "neuron", row=f"{_ROWS}:ActivationRow", computed_in=_PROBE, keys=("neuron",)),
            _of_checkpoint("gradients", "stratum", row=f"{_ROWS}:GradientRow", computed_in=_PROBE, keys=_STRATUM),
        ),
    ),
    Rule(
        "spectra",
        version=5,
        sections=("spectra", "integrity", "cache"),
        tables=(
            Table(
                "spectra/{model}/step{step}.parquet",
                "weight matrix",
                row=f"{_N}.spectra.rows:SpectrumRow",
                computed_in=f"{_N}.spectra.spectrum:measure_spectrum",
                keys=("layer", "matrix"),
                place=("model", "step"),
                timeline=f"{_N}.spectra.rows:SpectrumChanges",
            ),
            Table(
                "eigenvalues/{model}/step{step}.parquet",
                "weight matrix",
                row=f"{_N}.spectra.rows:EigenvaluesRow",
                computed_in=f"{_N}.spectra.eigenvalues:eigenvalues",
                keys=("layer", "matrix"),
                place=("model", "step"),
            ),
            Table(
                "fingerprint/{model}/step{step}.parquet",
                "tensor",
                row=f"{_N}.integrity.fingerprint:FingerprintRow",
                computed_in=f"{_N}.integrity.fingerprint:fingerprint_tensor",
                keys=("tensor",),
                place=("model", "step"),
            ),
        ),
    ),
    Rule(
        "alpha_null",
        version=1,
        sections=("spectra",),
        tables=(
            Table(
                "alpha_null/{subject}.parquet",
                "shape of matrices",
                row=f"{_N}.spectra.gaussian_null:GaussianNull",
                computed_in=f"{_N}.spectra.gaussian_null:draw_alpha_null",
                keys=("long", "short"),
                place=(),
            ),
        ),
    ),
    Rule(
        "alpha",
        version=1,
        tables=(
            Table(
                "timelines/alpha/{model}.parquet",
                "step x weight matrix",
                row=f"{_N}.spectra.rows:AlphaRow",
                computed_in=f"{_N}.spectra.leaving:alpha_in_null",
                keys=("layer", "matrix"),
                place=("model", "step"),
            ),
            Table(
                "timelines/alpha_events/{model}.parquet",
                "weight matrix x quantity",
                row=f"{_N}.spectra.rows:AlphaEventRow",
                computed_in=f"{_N}.spectra.leaving:date_leaving",
                keys=("layer", "matrix", "quantity"),
                place=("model",),
            ),
        ),
    ),
    Rule(
        "null_tables",
        version=2,
        sections=("regimes",),
        tables=(
            Table(
                "null_tables/{n_neurons}.parquet",
                "family x shape x number of spacings",
                row=f"{_N}.regimes.null_tables:NullTableRow",
                computed_in=f"{_N}.regimes.null_tables:regime_null_table",
                keys=("n", "family", "shape", "n_spacings"),
                place=(),
            ),
        ),
    ),
    Rule(
        "inequality",
        version=2,
        sections=("inequality",),
        metric=f"{_N}.influence.inequality:measure_inequality",
        tables=(
            _of_checkpoint(
                "inequality",
                "stratum",
                row=f"{_N}.influence.inequality:InequalityRow",
                computed_in=f"{_N}.influence.inequality:measure_inequality",
                keys=_STRATUM,
                timeline=f"{_N}.influence.inequality:InequalityRow",
            ),
        ),
    ),
    Rule(
        "regimes",
        version=3,
        sections=("regimes",),
        metric=f"{_N}.regimes.tables:measure_regime_tables",
        null_tables=True,
        tables=(
            _of_checkpoint(
                "regimes",
                "stratum x sign x convention",
                row=f"{_N}.regimes.tables:RegimeTableRow",
                computed_in=f"{_N}.regimes.conventions:measure_regimes",
                keys=("stratum", "sign", "convention"),
                timeline=f"{_N}.regimes.tables:RegimeTableRow",
            ),
            _of_checkpoint(
                "curves",
                "stratum x sign x bin of rank",
                row=f"{_N}.regimes.tables:CurvePoint",
                computed_in=f"{_N}.regimes.rank_curve:rank_curve",
                keys=("stratum", "sign", "rank_low"),
            ),
            _of_checkpoint(
                "differences",
                "pair of strata x sign x quantity",
                row=f"{_N}.regimes.tables:DifferenceRow",
                computed_in=f"{_N}.regimes.resampled:regime_differences",
                keys=("stratum", "other_stratum", "sign", "quantity"),
                timeline=f"{_N}.regimes.tables:DifferenceRow",
            ),
        ),
    ),
    Rule(
        "set_spectra",
        version=3,
        sections=("set_spectra", "cache"),
        tables=(
            _of_checkpoint(
                "set_spectra",
                "stratum x matrix",
                row=f"{_N}.organisation.set_spectra:SetSpectrumRow",
                computed_in=f"{_N}.organisation.set_spectra:measure_set_spectrum",
                keys=("stratum", "matrix"),
                timeline=f"{_N}.organisation.set_spectra:SetSpectrumRow",
            ),
        ),
    ),
    Rule(
        "layers",
        version=4,
        sections=("layers", "panels", "probe", "cache"),
        tables=(
            _of_checkpoint(
                "layer_influence",
                "layer x neuron x stratum",
                row=f"{_LAYERS}.rows:LayerInfluenceRow",
                computed_in="rare_neurons.models.layers.measure:measure_layers",
                keys=("layer", "neuron", "stratum"),
            ),
            _of_checkpoint(
                "layer_audit",
                "layer x stratum x part",
                row=f"{_LAYERS}.rows:LayerAuditRow",
                computed_in="rare_neurons.models.layers.measure:measure_layers",
                keys=("layer", "stratum", "part"),
                timeline=f"{_LAYERS}.rows:LayerAuditRow",
            ),
            _of_checkpoint(
                "heads",
                "layer x head or sublayer x stratum",
                row=f"{_LAYERS}.head_rows:HeadRow",
                computed_in="rare_neurons.models.layers.heads:measure_heads",
                keys=("layer", "component", "head", "stratum"),
                timeline=f"{_LAYERS}.head_rows:HeadRow",
            ),
        ),
    ),
    Rule(
        "allocation",
        version=2,
        sections=("allocation", "panels", "probe", "cache"),
        tables=(
            Table(
                "allocation/{panel}/{model}/step{interval}.parquet",
                "unit of weights x stratum",
                row=f"{_N}.allocation.rows:AllocationRow",
                computed_in="rare_neurons.models.allocation.measure:measure_allocation",
                keys=("layer", "kind", "unit", "token_stratum", "stratum"),
                place=_INTERVAL,
                timeline=f"{_N}.allocation.summary:AllocationSummaryRow",
                timeline_keys=("layer", "kind", "token_stratum", "stratum"),
            ),
            Table(
                "allocation_changes/{panel}/{model}/step{interval}.parquet",
                "stratum x part",
                row=f"{_N}.allocation.rows:AllocationChangeRow",
                computed_in="rare_neurons.models.allocation.measure:measure_allocation",
                keys=("stratum", "part"),
                place=_INTERVAL,
                timeline=f"{_N}.allocation.rows:AllocationChangeRow",
            ),
        ),
    ),
    Rule(
        "activity",
        version=2,
        sections=("activity", "panels", "probe", "cache"),
        tables=(
            _of_checkpoint(
                "organisation",
                "stratum x sign x quantity",
                row=f"{_N}.organisation.rows:OrganisationRow",
                computed_in="rare_neurons.models.activity.set_rows:organisation_rows",
                keys=("stratum", "sign", "quantity", "residualised"),
                timeline=f"{_N}.organisation.rows:OrganisationRow",
            ),
            _of_checkpoint(
                "sets",
                "stratum x sign x ablation",
                row=f"{_N}.organisation.interaction:SetRow",
                computed_in="rare_neurons.models.activity.set_rows:set_rows",
                keys=("stratum", "sign", "ablation"),
                timeline=f"{_N}.organisation.interaction:SetRow",
            ),
            _of_checkpoint(
                "overlap",
                "pair of strata x size",
                row=f"{_N}.organisation.rows:OverlapRow",
                computed_in="rare_neurons.models.activity.set_rows:overlap_rows",
                keys=("stratum", "other", "influence", "n_set"),
            ),
            _of_checkpoint(
                "routing",
                "layer x head x pair of strata",
                row=f"{_N}.organisation.routing:RoutingRow",
                computed_in="rare_neurons.models.activity.head_rows:Redirected",
                keys=("layer", "head", "stratum", "against"),
            ),
            _of_checkpoint(
                "kinds",
                "layer x neuron",
                row=f"{_N}.kinds.census:KindRow",
                computed_in="rare_neurons.models.activity.measure:kind_rows",
                keys=("layer", "neuron"),
                timeline=f"{_N}.kinds.summary:KindSummaryRow",
                timeline_keys=("layer", "kind"),
            ),
            _of_checkpoint(
                "readout",
                "stratum x neuron",
                row=f"{_N}.kinds.rows:ReadoutRow",
                computed_in="rare_neurons.models.activity.measure:readout_rows",
                keys=("stratum", "neuron"),
            ),
            _of_checkpoint(
                "examples",
                "neuron x rank",
                row=f"{_N}.kinds.rows:ExampleRow",
                computed_in="rare_neurons.models.activity.set_rows:example_rows",
                keys=("stratum", "sign", "neuron", "rank"),
            ),
        ),
    ),
    Rule(
        "layer_evidence",
        version=1,
        sections=("layers", "evidence"),
        tables=(
            Table(
                "timelines/layer_evidence/{subject}.parquet",
                "question x run x tier",
                row=f"{_LAYERS}.evidence:LayerEvidenceRow",
                computed_in=f"{_LAYERS}.evidence:judge_layers",
                keys=("stratum", "declared", "role", "run", "tier"),
                place=("subject", "panel"),
            ),
        ),
    ),
    Rule(
        "activity_evidence",
        version=2,
        sections=("activity", "evidence"),
        tables=(
            Table(
                "timelines/activity_evidence/{subject}.parquet",
                "question x run x tier",
                row=f"{_N}.claims.rows:ActivityEvidenceRow",
                computed_in=f"{_N}.claims.judge:judge_activity",
                keys=("declared", "role", "run", "tier"),
                place=("subject", "panel"),
            ),
        ),
    ),
    Rule(
        "integrity",
        version=4,
        sections=("integrity",),
        tables=(
            Table(
                "integrity/{model}.parquet",
                "checkpoint",
                row=f"{_N}.integrity.judge:IntegrityRow",
                computed_in=f"{_N}.integrity.judge:judge_checkpoints",
                keys=("step",),
                place=("model",),
            ),
        ),
    ),
    Rule("timelines", version=4),
    Rule(
        "lineage",
        version=4,
        sections=("lineage",),
        tables=(
            Table(
                "timelines/lineage/{model}.parquet",
                "step x stratum",
                row=f"{_N}.organisation.lineage:LineageRow",
                computed_in=f"{_N}.organisation.lineage:lineage",
                keys=("stratum", "step"),
                place=("panel", "model"),
            ),
            Table(
                "timelines/members/{model}.parquet",
                "stratum x neuron of the fixed set",
                row=f"{_N}.organisation.lineage:MemberRow",
                computed_in=f"{_N}.organisation.lineage:lineage",
                keys=("stratum", "rank"),
                place=("panel", "model"),
            ),
            Table(
                "timelines/changed/{model}.parquet",
                "stratum; of the change from the first to the last good step",
                row=f"{_N}.influence.change:ChangedRow",
                computed_in=f"{_N}.influence.change:change_rows",
                keys=_STRATUM,
                place=("panel", "model"),
            ),
        ),
    ),
    Rule(
        "evidence",
        version=4,
        sections=("evidence",),
        tables=tuple(
            Table(
                f"timelines/{name}/{{subject}}.parquet",
                grain,
                row=f"{_N}.evidence.rows:{row}",
                computed_in=f"{_N}.evidence.{function}",
                keys=("declared", "role", "run", *keys),
                place=("subject", "panel"),
            )
            for name, grain, row, function, keys in (
                ("evidence", "question x run x tier", "EvidenceRow", "tables:evidence_rows", ("tier",)),
                ("onsets", "question x run", "OnsetRow", "onset_date:date_onset", ()),
                ("turns", "question x run x turn", "TurnRow", "turns:find_moves", ("turn",)),
                ("courses", "question x run x step", "CourseRow", "tables:course_rows", ("step",)),
            )
        ),
    ),
    Rule("figures", version=9),
    Rule("atlas", version=2),
    Rule("summary", version=8),
    Rule("usable", version=1),
    Rule("replication", version=5),
)

AT_DECLARED_STEPS = ("layers", "allocation", "activity")
"""Rules with a section of their own that says at which checkpoints they measure."""
JUDGED_ACTIVITY = ("organisation", "sets", "routing", "kinds")
"""Tables of rule activity that claims are judged from."""
VERSIONS = {rule.name: rule.version for rule in RULES}
METRICS = tuple(rule for rule in RULES if rule.metric)
TABLES = {table.name: table for rule in RULES for table in rule.tables}
QUANTITIES = tuple(name for name, table in TABLES.items() if table.timeline)
"""Tables whose shards are joined over steps."""
TIMELINES = {
    f"timelines/{name}": Table(
        f"timelines/{name}/{{model}}.parquet",
        "step x " + (table.grain if table.timeline_keys is None else " x ".join(table.timeline_keys)),
        row=str(table.timeline),
        computed_in="rare_neurons.stages.timelines:write_timelines",
        keys=table.keys if table.timeline_keys is None else table.timeline_keys,
        place=table.place,
    )
    for name, table in TABLES.items()
    if table.timeline
}


def load(name: str) -> Callable | type:
    """Import ``module:attribute``."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
