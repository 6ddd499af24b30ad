"""MkDocs hook: the site's pages are the Markdown where it lies, so that links hold here and on the forge."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = ("*.md", "docs/**/*.md", "config/README.md", "results/README.md", "benchmarks/README.md")
LINKED = ("docs/figures/*.png", "config/*.yaml", "notebooks/*.ipynb", "LICENSE")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by all pages of the repository, and what they link to, at their own paths."""
    # Only what lies in docs/: the theme's own files may lie in an environment below the repository.
    docs = Path(config.docs_dir)
    own = [file for file in files if file.abs_src_path is None or not Path(file.abs_src_path).is_relative_to(docs)]
    paths = sorted({path for pattern in (*PAGES, *LINKED) for path in ROOT.glob(pattern)})
    pages = [File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)) for path in paths]
    return Files([*own, *pages])
