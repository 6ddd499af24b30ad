"""The house's own rules: where tests are, how large things may grow, what is documented."""

import ast
import tomllib
from pathlib import Path

import yaml

import rare_neurons

SOURCE = Path(rare_neurons.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
TEXTS = {path.as_posix(): (SOURCE / path).read_text() for path in MODULES}
MAX_PARAMETERS, MAX_MODULES, MAX_LINES = 8, 20, 300
ONE_PER_RULE = "stages"
LISTS = {"catalogue.py"}  # one entry after the other: as long as there are tables


def too_many_parameters(source: str) -> list[str]:
    """Functions of a module's text that take more than `MAX_PARAMETERS`, `self` and `cls` apart."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            if len([n for n in names if n not in ("self", "cls")]) > MAX_PARAMETERS:
                found.append(node.name)
    return found


def public_without_docstring(source: str) -> list[str]:
    """Public functions, classes and methods of a module's text that say nothing."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    found, left = [], list(ast.parse(source).body)
    while left:
        node = left.pop(0)
        if isinstance(node, kinds) and not node.name.startswith("_"):
            found += [] if ast.get_docstring(node) else [node.name]
            left += node.body if isinstance(node, ast.ClassDef) else []
    return found


def test_every_module_has_its_test_module():
    assert [str(one) for one in MODULES if not (TESTS / one.with_name(f"test_{one.name}")).is_file()] == []


def test_no_function_takes_too_much_and_no_module_grows_too_long():
    many = {name: too_many_parameters(text) for name, text in TEXTS.items()}
    assert {name: functions for name, functions in many.items() if functions} == {}
    assert [name for name, text in TEXTS.items() if name not in LISTS and len(text.splitlines()) > MAX_LINES] == []


def test_every_public_name_is_documented():
    silent = {name: public_without_docstring(text) for name, text in TEXTS.items()}
    assert {name: names for name, names in silent.items() if names} == {}


def test_no_folder_holds_more_modules_than_one_can_look_through():
    sizes = {f.relative_to(SOURCE).as_posix(): len([*f.glob("*.py")]) - 1 for f in SOURCE.rglob("*") if f.is_dir()}
    assert {name: size for name, size in sizes.items() if size > MAX_MODULES and name != ONE_PER_RULE} == {}


def test_the_software_environment_is_that_of_the_package_and_names_nothing_unpublished():
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((TESTS.parent / "workflow/envs/rare-neurons.yaml").read_text())
    (packages,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    extras = project["optional-dependencies"]
    measuring = [package for name in ("run", "slurm", "weightwatcher") for package in extras[name]]
    assert packages == sorted(project["dependencies"] + measuring)
    assert project["name"] not in packages


def test_these_checks_see_what_is_wrong():
    many = ", ".join("abcdefghi")
    assert too_many_parameters(f"def f({many}): ...\ndef g(self, {many[:-3]}): ...") == ["f"]
    assert public_without_docstring("class A:\n    def b(self): ...\nclass _C:\n    def d(self): ...") == ["A", "b"]
