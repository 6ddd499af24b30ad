"""Checkpoints of a training, measured as soon as they are saved: by the stages of the workflow, into its own files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rare_neurons.check import read_configuration
from rare_neurons.errors import RequestError
from rare_neurons.origins.asked import MANIFEST, TOKENIZER, Asked, Key, path_of
from rare_neurons.selection import refuse
from rare_neurons.stages import probe, spectra
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.resolve import source_of, write_resolved

Config = Mapping[str, Mapping]


@dataclass(frozen=True)
class SavedCheckpoints:
    """One model of a configuration, whose checkpoints a training is about to save.

    Attributes
    ----------
    config : mapping
        Complete (`rare_neurons.check.read_configuration`).
    model : str
        Its name there; its source is a folder.
    """

    config: Config
    model: str

    @classmethod
    def of(
        cls, results: str | Path, model: str, config: Config | str | Path | Sequence[str | Path] | None
    ) -> "SavedCheckpoints":
        """Read the configuration: complete, or files on top of how things are measured, or what the last run noted.

        Raises
        ------
        RequestError
            If the model is not in it, is no folder's, or its results go elsewhere.
        """
        if not isinstance(config, Mapping):
            files = [] if config is None else [config] if isinstance(config, str | Path) else list(config)
            config = read_configuration(Path(results), [str(file) for file in files])
        if Path(config["results"]).resolve() != Path(results).resolve():
            raise RequestError(
                f"the configuration writes to {config['results']}, not to {results}; name the same folder"
            )
        if model not in config["models"]:
            refuse("model", [model], config["models"], "the configuration")
        source = config["models"][model]["source"]
        if source != "folder":
            raise RequestError(f"model {model}: its source is {source!r}, but a training saves to a folder")
        return cls(config, model)

    @cached_property
    def asked(self) -> Asked:
        """What the configuration asks of the model; which steps the training saves is its own business."""
        return Asked(self.config, {self.model: []})

    def folder(self, step: int) -> Path:
        """Where the configuration looks for a step's checkpoint."""
        return source_of(self.config["models"][self.model], "").folder(step)

    def check(self, output_dir: str | Path) -> None:
        """Refuse a training that saves elsewhere, and a results folder without the panels.

        Raises
        ------
        RequestError
            Naming both folders, or the files that are missing and how they are made.
        """
        saved, due = Path(output_dir) / "checkpoint-0", self.folder(0)
        if saved.resolve() != due.resolve():
            raise RequestError(
                f"model {self.model}: the Trainer saves {output_dir}/checkpoint-{{step}}, but the configuration has "
                f"path: {self.config['models'][self.model]['path']}; write the former there"
            )
        paths = [self._path(key) for panel in self._panels for key in self._inputs_of(panel).values()]
        missing = [path for path in dict.fromkeys(paths) if not Path(path).is_file()]
        if missing:
            raise RequestError(
                f"model {self.model}: {', '.join(missing)} must be there before the training; once a checkpoint-0 is "
                f"saved, `snakemake --configfile … -- {' '.join(missing)}` makes them"
            )

    def measure(self, step: int, *, threads: int = 1) -> None:
        """Write the manifest and the shards of `probe` and `spectra` of one saved checkpoint.

        The bytes are those that the workflow writes with as many threads. Each shard is also kept as a finished one, so
        that a run that asks for it takes it and measures nothing again.

        Raises
        ------
        RequestError
            If the checkpoint's tokenizer or vocabulary is not the panel's.
        """
        manifest = self._path((MANIFEST, self.model, step))
        entry, place = self.config["models"][self.model], Workplace.of(self.config, threads)
        tokenizer = self._path((TOKENIZER, entry["tokenizer"])) if self._panels else None
        source = source_of(entry, "")
        about = {"source": source, "tokenizer": tokenizer, "cache": self.config["cache"]}
        write_resolved(manifest, model=self.model, step=step, **about)
        for panel in self._panels:
            probe.write_probe(
                {name: [self._path((name, panel, self.model, step))] for name in probe.OUTPUTS},
                {name: self._path(key) for name, key in self._inputs_of(panel).items()},
                manifests=[manifest],
                panel=panel,
                rules=self.config["panels"][panel]["strata"],
                options=self.asked.probe_options,
                place=place,
            )
        spectra.write_spectra(
            {name: [self._path((name, self.model, step))] for name in spectra.OUTPUTS},
            manifests=[manifest],
            options=self.config["spectra"],
            n_projections=self.config["integrity"]["n_projections"],
            place=place,
        )

    @cached_property
    def _panels(self) -> list[str]:
        return self.asked.panels_of(self.model)

    def _inputs_of(self, panel: str) -> dict[str, Key]:
        entry = self.config["panels"][panel]
        drawn: dict[str, Key] = {name: (f"panel/{name}", panel) for name in ("contexts", "targets")}
        unigram = ("corpus/unigram", entry["corpus"], entry["tokenizer"])
        return {**drawn, "unigram": unigram, "tokenizer": (TOKENIZER, entry["tokenizer"])}

    def _path(self, key: Key) -> str:
        return f"{str(self.config['results']).rstrip('/')}/{path_of(key)}"
