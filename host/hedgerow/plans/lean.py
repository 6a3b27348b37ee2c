"""Knows how a firmware module says the same with fewer names; knows no compiler, no board and no other module.

    python -m hedgerow.plans.lean FILE.py      the short names of a module, for who reads a traceback of a small board

MicroPython keeps every name for ever in RAM, once each, whichever module said it. So the private names of a module
become short ones that all modules share, private constants vanish into where they are used, and arguments that nobody
gives by name get short names, too. Only names that no other module can see are changed; where that cannot be told,
the module is refused with a sentence.
"""

import ast
import builtins
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

from hedgerow.errors import UsageError

_KEYWORD = re.compile(r"\b([A-Za-z_]\w*)=(?!=)")  # takes a default for a keyword, too: one name too many does no harm
_CONSTANT = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
_PRIVATE = re.compile(r"\b_[A-Za-z]\w*")
_BUILTINS = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Spoken:
    """What modules say to each other: names of arguments, constants that more than one of them names.

    `private` are names of a module that another program uses all the same: only tests do.
    """

    keywords: frozenset[str]
    constants: frozenset[str]
    private: frozenset[str]

    @classmethod
    def by(cls, modules: Iterable[str], others: Iterable[str] = ()) -> "Spoken":
        """Of the sources of all modules that run together, and of other programs that look into them."""
        keywords: set[str] = set()
        constants: Counter[str] = Counter()
        private: set[str] = set()
        for source in modules:
            keywords.update(_KEYWORD.findall(source))
            constants.update(set(_CONSTANT.findall(source)))
        for source in others:
            keywords.update(_KEYWORD.findall(source))
            constants.update(set(_CONSTANT.findall(source)))
            private.update(_PRIVATE.findall(source))
        shared = frozenset(name for name, count in constants.items() if count > 1)
        return cls(frozenset(keywords), shared, frozenset(private))

    def __str__(self) -> str:
        return f"{sorted(self.keywords)} {sorted(self.constants)} {sorted(self.private)}"


def lean(source: str, name: str, spoken: Spoken) -> str:
    """The module with fewer names. Raises UsageError where a private name is not the module's own affair."""
    tree = ast.parse(source)
    _check(tree, name)
    _drop_annotations(tree)
    short = _short_private_names(tree)
    _fold_constants(tree, spoken.constants | spoken.private)
    _rename(tree, {long: name for long, name in short.items() if long not in spoken.private})
    outside = _module_names(tree) | spoken.keywords
    for function in _outermost_functions(tree):
        _shorten_arguments(function, outside)
    return ast.unparse(ast.fix_missing_locations(tree))


def short_names(source: str) -> dict[str, str]:
    """Private name -> what a lean module calls it, if it does not vanish."""
    return _short_private_names(ast.parse(source))


def _drop_annotations(tree: ast.Module) -> None:
    """MicroPython reads over them; here they would only be more to rename."""
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None


# ---- private names


def _is_private(name: str) -> bool:
    return name.startswith("_") and name.strip("_") != "" and not name.startswith("__")


def _check(tree: ast.Module, module: str) -> None:
    """Raises where a private name may mean something outside of the module."""
    own = {name for name in _defined(tree) if _is_private(name)}
    documentation = set(_documentation(tree))
    for node in ast.walk(tree):
        if isinstance(node, _IMPORTS):
            for alias in node.names:
                if _is_private(alias.name):
                    raise _refused(module, node, f"imports the private name {alias.name!r}")
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if _is_private(name) and name not in own:
            raise _refused(module, node, f"uses the private name {name!r}, which is not its own")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation:
            for word in _PRIVATE.findall(node.value):
                if word in own:
                    raise _refused(module, node, f"has its private name {word!r} in a string")
        if isinstance(node, ast.ClassDef):
            _check_bases(tree, node, module)


def _check_bases(tree: ast.Module, made: ast.ClassDef, module: str) -> None:
    here = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    strange = [base for base in made.bases if not (isinstance(base, ast.Name) and base.id in here | _BUILTINS)]
    private = any(isinstance(node, ast.Attribute) and _is_private(node.attr) for node in ast.walk(made))
    if strange and private:
        raise _refused(module, made, f"has a class {made.name!r} that adds private names to a class of another module")


def _refused(module: str, node: ast.AST, what: str) -> UsageError:
    return UsageError(
        f"{module}:{getattr(node, 'lineno', 1)} {what}: private names get other ones on small boards",
        next_step="Give it a name without an underscore",
    )


def _documentation(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _defined(tree: ast.AST) -> Iterator[str]:
    """What is given a value here: variables, attributes, functions, classes, arguments; in order, once a place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, _IMPORTS):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)


def _short_private_names(tree: ast.Module) -> dict[str, str]:
    """Constants last: most of them vanish, and the fewer short names there are the better."""
    private = sorted({name for name in _defined(tree) if _is_private(name)}, key=lambda name: (name.isupper(), name))
    return dict(zip(private, _short(frozenset()), strict=False))


def _short(taken: "frozenset[str] | set[str]") -> Iterator[str]:
    for first in ("", *ascii_lowercase):
        for last in ascii_lowercase:
            if (name := f"_{first}{last}") not in taken:
                yield name


def _rename(tree: ast.AST, names: dict[str, str], *, variables_alone: bool = False) -> None:
    """Give variables, functions, classes and attributes other names, wherever they stand."""

    def new(name: str) -> str:
        return names.get(name, name)

    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new(node.id)
        elif isinstance(node, ast.arg):
            node.arg = new(node.arg)
        elif isinstance(node, ast.ExceptHandler):
            node.name = new(node.name) if node.name else None
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [new(name) for name in node.names]
        elif variables_alone:
            continue
        elif isinstance(node, ast.Attribute):
            node.attr = new(node.attr)
        elif isinstance(node, _DEFINITIONS):
            node.name = new(node.name)
        elif isinstance(node, (ast.keyword, ast.alias)):
            _rename_in_passing(node, new)


def _rename_in_passing(node: "ast.keyword | ast.alias", new: Callable[[str], str]) -> None:
    if isinstance(node, ast.keyword):
        node.arg = new(node.arg) if node.arg else None
    else:
        node.asname = new(node.asname) if node.asname else None


# ---- constants


def _fold_constants(tree: ast.Module, spoken: frozenset[str]) -> None:
    """Have the compiler put constants where they are used.

    MicroPython leaves out `_NAME = const(...)` of a module, where it is given one value before it is used.
    """
    values = Counter(_defined(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            values.update(dict.fromkeys(node.names, 2))
    first_use = _first_uses(tree)
    gone: set[str] = set()
    numbers: set[str] = set()
    for node in tree.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        lonely = _CONSTANT.fullmatch(name) is not None and f"_{name}" not in values
        early = first_use.get(name, sys.maxsize) <= (node.end_lineno or node.lineno)
        if name in spoken or early or values[name] > 1 or not _is_constant(node.value, numbers):
            continue
        if lonely or _is_private(name):
            gone.add(name)
            if _is_number(node.value, numbers):
                numbers.add(name)
            node.value = ast.Call(ast.Name("const", ast.Load()), [node.value], [])
    _rename(tree, {name: f"_{name}" for name in gone if not _is_private(name)})


def _first_uses(tree: ast.Module) -> dict[str, int]:
    """Name -> line; an attribute or a keyword of that name counts as a use that comes too early."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found[node.id] = min(found.get(node.id, sys.maxsize), node.lineno)
        elif isinstance(node, ast.Attribute):
            found[node.attr] = 0
        elif isinstance(node, ast.keyword) and node.arg:
            found[node.arg] = 0
    return found


def _is_constant(value: ast.expr, numbers: set[str]) -> bool:
    if isinstance(value, ast.Constant) and type(value.value) in (str, bytes):
        return True
    return _is_number(value, numbers)


def _is_number(value: ast.expr, numbers: set[str]) -> bool:
    """What the compiler computes: whole numbers, out of such and of `numbers`, which are names of such."""
    if isinstance(value, ast.BinOp):
        whole = not isinstance(value.op, (ast.Div, ast.Pow, ast.MatMult))
        return whole and _is_number(value.left, numbers) and _is_number(value.right, numbers)
    if isinstance(value, ast.UnaryOp):
        return not isinstance(value.op, ast.Not) and _is_number(value.operand, numbers)
    if isinstance(value, ast.Name):
        return value.id in numbers
    return isinstance(value, ast.Constant) and type(value.value) is int


# ---- arguments


def _outermost_functions(tree: "ast.Module | ast.ClassDef") -> "Iterator[ast.FunctionDef | ast.AsyncFunctionDef]":
    for node in tree.body:
        if isinstance(node, _FUNCTIONS):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _outermost_functions(node)


def _module_names(tree: ast.Module) -> set[str]:
    """Every name that may mean something of the module's inside of a function."""
    found = set(_BUILTINS)
    for node in tree.body:
        if isinstance(node, _DEFINITIONS):
            found.add(node.name)
        else:
            found.update(_defined(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found.update(node.names)
    return found


def _shorten_arguments(function: "ast.FunctionDef | ast.AsyncFunctionDef", outside: set[str]) -> None:
    """Those that somebody names anywhere keep their names; the others get such as private names have."""
    kept = outside | {"self"}
    used: set[str] = set()
    wanted: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.arguments):
            used.update(_defined(node))
            wanted += [one.arg for one in node.args]
        elif isinstance(node, (*_DEFINITIONS, *_IMPORTS)) and node is not function:
            kept = kept | set(_defined(node) if isinstance(node, _IMPORTS) else (node.name,))
    todo = [name for name in dict.fromkeys(wanted) if name not in kept and len(name) > 1 and not _is_private(name)]
    names = dict(zip(todo, _short(used | kept), strict=False))
    _rename(function, names, variables_alone=True)


if __name__ == "__main__":
    for private, instead in short_names(Path(sys.argv[1]).read_text(encoding="utf-8")).items():
        print(f"{instead:<5} {private}")  # noqa: T201 - this module is a small tool, too
