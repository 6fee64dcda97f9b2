"""Reading queries, generated from the fields that an integration uses and nothing else.

Healthie admits a complexity of 2000: each field costs 1, and what lies below a connection's `nodes`
costs its `first` times. So a read goes in two steps. The first asks for as many patients as fit, each
with the *number* of their appointments, invoices and so on; the second asks for exactly that many.
Patients without children cost nothing more.

Values go as variables. The documents depend on the fields and the numbers alone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from connectors.healthie.fields import branches, catalogue
from connectors.healthie.patient import Patient
from connectors.healthie.records import Record

BUDGET: Final = 1980  # of Healthie's 2000
SIZES: Final = (*range(120, 8, -8), 8, 6, 4, 3, 2, 1)  # of a request, in lists of rows
ROOTS: Final = 120  # root fields in one document: each is a query on their side
PAGE: Final = 100  # Healthie's own default. UNVERIFIED: whether more is given

Tree = dict[str, "Tree"]
"""What is selected: {"id": {}, "policies": {"num": {}}}."""


@dataclass(frozen=True, slots=True)
class Area:
    """A list of the patient's that is no field of `User` but a root connection."""

    name: str  # in the entry
    root: str
    whose: str  # the argument that takes the patient's id
    connection: str
    arguments: str  # never a default: several of Healthie's hide rows (2026-08)

    def call(self, alias: str, patient: str, page: str) -> str:
        return f"{alias}: {self.root}({self.whose}: {patient}, {self.arguments}{page})"


AREAS: Final[Mapping[str, Area]] = {
    area.name: area
    for area in (
        Area(
            "appointments",
            "appointments",
            "user_id",
            "AppointmentPaginationConnection",
            'filter: "all", is_org: true, with_all_statuses: true, include_blockers: false, '
            "include_suborganizations: true, order_by: CREATED_AT_ASC, ",
        ),
        Area(
            "requested_payments",
            "requestedPayments",
            "sender_id",  # documented quirk: it matches sender or recipient
            "RequestedPaymentPaginationConnection",
            "order_by: CREATED_AT_ASC, ",
        ),
        Area(
            "billing_items",
            "billingItems",
            "client_id",
            "BillingItemPaginationConnection",
            "order_by: CREATED_AT_ASC, ",
        ),
        Area(
            "cms1500s",
            "cms1500s",
            "client_id",
            "Cms1500PaginationConnection",
            "order_by: CREATED_AT_ASC, ",
        ),
        Area(
            "user_package_selections",
            "userPackageSelections",
            "user_id",
            "UserPackageSelectionPaginationConnection",
            "",  # Healthie has no order for them
        ),
        Area(
            "tasks",
            "tasks",
            "client_id",
            "TaskPaginationConnection",
            "show_hidden: true, order_by: CREATED_ASC, ",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What one set of paths selects: of the patient, and of each area's rows."""

    paths: tuple[str, ...]
    patient: str
    patient_cost: int
    areas: tuple[str, ...]
    rows: Mapping[str, str]
    row_costs: Mapping[str, int]

    def cost_of_rows(self, area: str, first: int) -> int:
        """The complexity of one area of one patient with pages of `first`."""
        return 6 + first * self.row_costs[area]  # root, total_count, nodes, page_info and its two

    @property
    def patients_at_once(self) -> int:
        """How many patients fit one request, with the numbers of their rows."""
        each = self.patient_cost + 2 * len(self.areas)
        by_roots = ROOTS // len(self.areas) if self.areas else PAGE
        return max(1, min((BUDGET - 2) // each, by_roots, PAGE))

    def rows_at_once(self, area: str) -> int:
        """How many rows of one patient fit one request."""
        return max(1, min((BUDGET - 6) // self.row_costs[area], PAGE))


@lru_cache(maxsize=64)
def select(paths: frozenset[str]) -> Selection:
    """The selection for these entry paths. Raises Rejected for a path that no entry has."""
    tree = _tree(Patient, paths)
    tree.setdefault("restricted", {})
    rows = {name: tree.pop(name) for name in AREAS if name in tree}
    return Selection(
        paths=tuple(sorted(paths)),
        patient=_text(tree),
        patient_cost=_cost(tree),
        areas=tuple(rows),
        rows={name: _text(below) for name, below in rows.items()},
        row_costs={name: _cost(below) for name, below in rows.items()},
    )


@lru_cache(maxsize=64)
def patients_document(paths: frozenset[str], count: int) -> str:
    """`count` patients by `$ids`, and the number of their rows by `$p0`, `$p1`, …"""
    selection = select(paths)
    whose = range(count) if selection.areas else ()
    variables = _variables(["$ids: [ID]!", "$first: Int!", *(f"$p{at}: ID!" for at in whose)])
    counts = [
        AREAS[name].call(f"{name}_{at}", f"$p{at}", "first: 1") + " { total_count }"
        for at in whose
        for name in selection.areas
    ]
    return "\n".join(
        [
            f"query Patients({variables}) {{",
            "  users(ids: $ids, first: $first, include_suborg_patients: true, order_by: CREATED_AT_ASC) {",
            f"    nodes {{ {selection.patient} }}",
            "  }",
            *(f"  {count}" for count in counts),
            "}",
        ]
    )


@lru_cache(maxsize=64)
def single_patients_document(paths: frozenset[str], count: int) -> str:
    """`count` patients one by one, as `user_0`, `user_1`, …: a bad id spoils only its own alias."""
    selection = select(paths)
    variables = _variables(f"$p{at}: ID!" for at in range(count))
    users = (f"  user_{at}: user(id: $p{at}, clear_notifs: false) {{ ...one }}" for at in range(count))
    fragment = f"fragment one on User {{ is_patient {selection.patient} }}"
    return "\n".join([f"query SinglePatients({variables}) {{", *users, "}", fragment])


@dataclass(frozen=True, slots=True)
class Want:
    """A page of one area of one patient that is still to be read."""

    patient: str
    area: str
    first: int
    after: str | None = None


def rows_document(selection: Selection, areas: Sequence[str]) -> str:
    """Pages of rows, `areas[at]` under the alias `<area>_<at>` by `$p<at>`, `$n<at>` and `$c<at>`."""
    variables = _variables(f"$p{at}: ID!, $n{at}: Int!, $c{at}: String" for at in range(len(areas)))
    calls = [
        "  "
        + AREAS[name].call(f"{name}_{at}", f"$p{at}", f"first: $n{at}, after: $c{at}")
        + f" {{ ...{name} }}"
        for at, name in enumerate(areas)
    ]
    fragments = [
        f"fragment {name} on {AREAS[name].connection} "
        f"{{ total_count nodes {{ {selection.rows[name]} }} page_info {{ has_next_page end_cursor }} }}"
        for name in sorted(set(areas))
    ]
    return "\n".join([f"query Rows({variables}) {{", *calls, "}", *fragments])


def packed(selection: Selection, wants: Iterable[Want]) -> list[list[Want]]:
    """The wants in few requests, each of one area, within the budget, and of one of a few sizes.

    Every document is judged once, at ten milliseconds: few sizes make few documents.
    """
    by_area: dict[str, list[tuple[int, Want]]] = {}
    for want in wants:
        by_area.setdefault(want.area, []).append((selection.cost_of_rows(want.area, want.first), want))
    return [chosen for area in sorted(by_area) for chosen in _bins(by_area[area])]


def _bins(priced: list[tuple[int, Want]]) -> Iterator[list[Want]]:
    waiting = sorted(priced, key=lambda one: -one[0])
    while waiting:
        room, fit = BUDGET, 0
        for cost, _ in waiting[:ROOTS]:
            room -= cost
            if room < 0:
                break
            fit += 1
        size = next(size for size in SIZES if size <= max(fit, 1))
        yield [want for _, want in waiting[:size]]
        del waiting[:size]


def _tree(record: type[Record], paths: Collection[str]) -> Tree:
    """The minimal tree of selected fields; every list's rows have their id, for the order."""
    tree: Tree = {"id": {}}
    for path in paths:
        leaf, _ = catalogue().leaf(path)
        parents = leaf.entry.path.split(".")[:-1]
        at, below = tree, record
        for name in parents:
            branch = branches(below)[name]
            at, below = at.setdefault(name, {"id": {}} if branch.many else {}), branch.record
        at[leaf.source] = {}
        if leaf.beside is not None:
            at[leaf.beside] = {}
    return tree


def _text(tree: Tree) -> str:
    return " ".join(f"{name} {{ {_text(below)} }}" if below else name for name, below in sorted(tree.items()))


def _cost(tree: Tree) -> int:
    return sum(1 + _cost(below) for below in tree.values())


def _variables(parts: Iterable[str]) -> str:
    return ", ".join(parts)
