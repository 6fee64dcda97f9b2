"""Grants, looked at once when a policy is loaded, so that each check is a few look-ups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from pydantic import JsonValue

from agent.plan import Sentences, Source
from agent.policy import Grant, Policy
from agent.references import Exact, exact, is_declared_path, written
from agent.refusals import Code, PolicyError
from agent.transforms import TRANSFORMS
from connectors.entry import Category
from connectors.operation import Write

CategoryOf = Callable[[str], Category | None]
"""The category of a declared path, None if the source has no such field."""


@dataclass(frozen=True, slots=True)
class GrantedArgument:
    """One argument that may be set, and where its value may come from."""

    where: str  # "warehouse_upsert_patients.email"
    sources: tuple[str, ...]
    constants: Mapping[str, JsonValue]  # by how each is written after `=`
    constant_values: frozenset[Exact]
    transforms: frozenset[str]
    chains: tuple[tuple[str, ...], ...]  # what is tried to explain a program's value
    joins: tuple[tuple[str, ...], ...]  # the same for one that is made of all sources
    computed: Source | None
    free_text: bool
    because: Sentences  # the sentences that speak of it; none named: any
    keeps_out: Callable[[str], bool]  # of a field's declared path: may its target not receive it?


@dataclass(frozen=True, slots=True)
class GrantedOperation:
    """One write that may be called."""

    name: str
    target: str
    write: Write
    arguments: Mapping[str, GrantedArgument]
    names: frozenset[str]  # every argument the write has, granted or not
    at_most: int


def granted_operations(
    policy: Policy, writes: Mapping[str, Write], category: CategoryOf
) -> dict[str, GrantedOperation]:
    """All granted operations by full name.

    Raises:
        PolicyError: a grant names what does not exist, or sends a category to a target that is not
            approved for it, or whose system may not hold it.
    """
    found: dict[str, GrantedOperation] = {}
    for name, grant in policy.operations.items():
        if name not in writes:
            raise PolicyError(f"policy: {name}: no connected target has this write; correct the name")
        target = target_of(name, policy)
        _check_held(name, target, Category.STATUS, policy)  # that somebody is a patient is said by any write
        names = argument_names(writes[name])
        keeps_out = _keeper(target, policy, category)
        arguments = {
            argument: _argument(name, argument, given, writes[name], policy, keeps_out)
            for argument, given in grant.arguments.items()
        }
        for argument, given in grant.arguments.items():
            if argument not in names:
                raise PolicyError(f"policy: {name}.{argument}: the write has no such argument; remove it")
            _check_sources(arguments[argument].where, given, target, policy, category)
        found[name] = GrantedOperation(name, target, writes[name], arguments, names, grant.at_most)
    return found


def target_of(operation: str, policy: Policy) -> str:
    """The one target whose name begins the operation's. Raises PolicyError unless exactly one does."""
    targets = [target for target in policy.categories if operation.startswith(f"{target}_")]
    if len(targets) == 1:
        return targets[0]
    if targets:
        raise PolicyError(
            f"policy: {operation}: could be of {' or '.join(sorted(targets))}; rename one target"
        )
    raise PolicyError(f"policy: {operation}: its target has no approved categories; name them")


def argument_names(write: Write) -> frozenset[str]:
    """The names under which a write takes its arguments."""
    return frozenset(field.alias or name for name, field in write.arguments.model_fields.items())


def _keeper(target: str, policy: Policy, category: CategoryOf) -> Callable[[str], bool]:
    """Whether a field is of a kind that the target is not approved for, or that its system may not hold.

    Status is told by any write. Below a JSON field, a path is of that field's kind.
    """
    allowed = {*policy.categories[target], Category.STATUS}.difference(policy.withheld.get(target, ()))

    @cache
    def keeps_out(path: str) -> bool:
        found = category(path)
        above = path.rpartition(".")[0]
        return keeps_out(above) if found is None and above else found not in allowed

    return keeps_out


def _argument(
    operation: str, name: str, grant: Grant, write: Write, policy: Policy, keeps_out: Callable[[str], bool]
) -> GrantedArgument:
    where = f"{operation}.{name}"
    for transform in grant.transforms:
        if transform not in TRANSFORMS:
            raise PolicyError(
                f"policy: {where}: no transform {transform}; there are: {', '.join(TRANSFORMS)}"
            )
    if grant.free_text and name not in write.free_text:
        raise PolicyError(f"policy: {where}: the write takes no free text here; remove free_text")
    if unknown := sorted(set(grant.because).difference(policy.sentences)):
        raise PolicyError(f"policy: {where}: {unknown[0]} is no sentence of the instructions; correct it")
    single = tuple(name for name in dict.fromkeys(grant.transforms) if not TRANSFORMS[name].joins)
    joins = tuple(name for name in dict.fromkeys(grant.transforms) if TRANSFORMS[name].joins)
    return GrantedArgument(
        where=where,
        sources=grant.sources,
        constants=_constants(where, grant),
        constant_values=frozenset(exact(constant) for constant in grant.constants),
        transforms=frozenset(grant.transforms),
        chains=(*((name,) for name in single), *permutations(single, 2)),
        joins=tuple((join, *after) for join in joins for after in ((), *((name,) for name in single))),
        computed=Source(kind="computed", paths=grant.sources) if grant.computed else None,
        free_text=grant.free_text,
        because=grant.because,
        keeps_out=keeps_out,
    )


def _constants(where: str, grant: Grant) -> dict[str, JsonValue]:
    constants: dict[str, JsonValue] = {}
    for constant in grant.constants:
        if written(constant) in constants:
            raise PolicyError(f"policy: {where}: two constants are written alike; keep one of them")
        constants[written(constant)] = constant
    return constants


def _check_sources(where: str, grant: Grant, target: str, policy: Policy, category: CategoryOf) -> None:
    for path in grant.sources:
        found = category(path) if is_declared_path(path) else None
        if found is None:
            raise PolicyError(f"policy: {where}: {path} is no field of the entry; correct the path")
        if found not in policy.categories[target]:
            raise PolicyError(
                f"policy: {where}: {path} is {found}, not approved for {target}; approve or remove it",
                Code.CATEGORY_NOT_APPROVED,
            )
        _check_held(where, target, found, policy)


def _check_held(where: str, target: str, category: Category, policy: Policy) -> None:
    if category in policy.withheld.get(target, ()):
        raise PolicyError(
            f"policy: {where}: the system of {target} may not hold {category}; see: ferry check",
            Code.CATEGORY_WITHHELD,
        )
