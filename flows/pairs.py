"""Pairs: two integrations that know each other, held against each other.

One of them, the keeper, writes the unique property by which the other system's records name the keeper's
entries. The other one, the reader, reads it. Both say of each field that goes both ways who owns it, and
have to say the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.ledger.links import Side
from flows.pairing import NEWEST, PERSON, Pairing
from flows.tenants import Integration, TableGrant, ValueGrant, load_integration
from flows.weigh import Owner
from flows.written import IntegrationInvalid

Place = tuple[str | int, ...]
Objection = tuple[Place, str, str]
"""Where in integration.yaml, what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class Shared:
    """One argument of the paired write. `key` names the field for both directions: the reader's path.

    One that says no owner goes one way: it is its source's, and the other source does not show it.
    """

    argument: str
    own: str  # the field of our source that it comes from; "" where it goes one way
    there: str  # the field of the other source that shows it; likewise
    owner: Owner
    key: str


@dataclass(frozen=True, slots=True)
class Pair:
    """What a run needs to know of the integration that carries the same records the other way."""

    name: str  # the same for both
    partner: str
    keeps: bool  # this one is the keeper
    identity: str  # the field of the reader's source that holds the keeper's id
    target: str
    operation: str  # the paired write, by its full name
    shared: Mapping[str, Shared]  # by argument
    changed: str  # says when an entry of our source was changed
    changed_there: str
    source_there: str  # the connection that the other side is read through
    keeper_operation: str  # the keeper's paired write, whose answers name the reader's records

    @property
    def ours(self) -> Side:
        return "keeper" if self.keeps else "reader"

    @property
    def own(self) -> tuple[str, ...]:
        """The fields of our source that go both ways."""
        return tuple(dict.fromkeys(one.own for one in self.shared.values() if one.own))

    @property
    def there(self) -> tuple[str, ...]:
        """What is read of the other side before something is written to it."""
        identity = (self.identity,) if self.keeps else ()
        shown = (one.there for one in self.shared.values() if one.there)
        return tuple(dict.fromkeys((*identity, self.changed_there, *shown)))


def pair_of(root: Path, tenant: str, name: str, integration: Integration) -> Pair | None:
    """The pair that an integration belongs to; None if it goes one way.

    Raises:
        IntegrationInvalid: the two do not go together.
    """
    pairing = integration.pair
    if pairing is None:
        return None
    _, partner = load_integration(root, f"{tenant}/{pairing.with_}")
    for place, what, todo in objections(name, integration, partner):
        raise IntegrationInvalid(
            f"{root / tenant / name / 'integration.yaml'}: {'.'.join(map(str, place))} {what}; {todo}"
        )
    assert partner.pair is not None
    return _made(name, integration, pairing, partner, partner.pair)


def _made(name: str, mine: Integration, pairing: Pairing, other: Integration, back: Pairing) -> Pair:
    keeps = bool(mine.targets[pairing.target].tables)
    (operation, _), (their_operation, _) = paired_write(mine), paired_write(other)
    return Pair(
        name="+".join(sorted((name, pairing.with_))),
        partner=pairing.with_,
        keeps=keeps,
        identity=back.identity if keeps else pairing.identity,
        target=pairing.target,
        operation=operation,
        shared={one.argument: one for one in shared(mine, other)},
        changed=pairing.changed,
        changed_there=back.changed,
        source_there=other.source,
        keeper_operation=operation if keeps else their_operation,
    )


def objections(name: str, mine: Integration, other: Integration) -> Iterator[Objection]:
    """Why the two are no pair; nothing, if they are. Each is to say the same of the other."""
    pairing, back = mine.pair, other.pair
    assert pairing is not None
    if back is None or back.with_ != name:
        yield (
            ("pair", "with"),
            f"names {pairing.with_}, which does not name this one",
            f"write with: {name} there",
        )
        return
    found = list(_unconnected(mine, pairing, other, back))
    yield from found
    if found:
        return
    yield from _unkept(mine, pairing, other, back)
    yield from _unowned(mine, pairing, other)


def _unconnected(
    mine: Integration, pairing: Pairing, other: Integration, back: Pairing
) -> Iterator[Objection]:
    """Each one's target is the other one's source."""
    for one, its, another in ((mine, pairing, other), (other, back, mine)):
        target = one.targets.get(its.target)
        whose = "" if one is mine else f" ({pairing.with_}: {its.target})"
        if target is None:
            yield ("pair", "target"), f"is no target{whose}", f"there are: {', '.join(sorted(one.targets))}"
        elif target.connection != another.source:
            what = f"goes to {target.connection}, and the other one reads {another.source}{whose}"
            yield ("pair", "target"), what, "name the target that is the other one's source"
        elif not paired_write(one)[0]:
            what = f"has no single write with an owner at its fields{whose}"
            yield (
                ("targets", pairing.target),
                what,
                "say owner: at each field that goes both ways, of one write",
            )


def _unkept(mine: Integration, pairing: Pairing, other: Integration, back: Pairing) -> Iterator[Objection]:
    """One of the two writes the unique property, and the other one names it."""
    place: Place = ("targets", pairing.target)
    if bool(mine.targets[pairing.target].tables) == bool(other.targets[back.target].tables):
        what = "has tables, as the other one's has, or neither has"
        yield place, what, "one of the two writes the record's unique key, as a table"
    elif not mine.targets[pairing.target].tables:
        kept = _table(other, back).patient
        if pairing.identity != kept:
            what = f"is {pairing.identity or 'missing'}, and {pairing.with_} writes the id into {kept}"
            yield ("pair", "identity"), what, f"write {kept}"
    elif pairing.identity:
        yield ("pair", "identity"), "is the other one's to say: this one writes it", "remove it"
    elif any(column.key for column in _table(mine, pairing).columns.values()):
        yield place, "has a key beside the patient", "pair a table whose key is the patient"


def _table(integration: Integration, pairing: Pairing) -> TableGrant:
    """The table that the paired write is of."""
    operation, _ = paired_write(integration)
    tables = integration.targets[pairing.target].tables
    return next(one for one in tables if f"{pairing.target}_upsert_{one.name}" == operation)


def _unowned(mine: Integration, pairing: Pairing, other: Integration) -> Iterator[Objection]:
    """Each field that goes both ways comes from one field, and both say whose it is."""
    said = Said(
        mine=mine,
        other=other,
        partner=pairing.with_,
        owners=tuple(dict.fromkeys((mine.source, other.source, NEWEST, PERSON))),
        back={one.own: one for one in shared(other, mine) if one.own},
        words={argument: grant.owner for _, argument, grant in _arguments(other)},
        reads={argument: grant.from_ for _, argument, grant in _arguments(other)},
    )
    for place, argument, grant in _arguments(mine):
        found = said.objection(argument, grant, grant.owner) if grant.owner else None
        if found:
            key, what, todo = found
            yield (*place, argument, key), what, todo
        elif not grant.owner and any(argument in said.reads.get(path, ()) for path in grant.from_):
            what = f"goes both ways, since {pairing.with_} carries it back, and says no owner"
            yield (*place, argument), what, f"write owner: one of {', '.join(said.owners)}"


@dataclass(frozen=True, slots=True)
class Said:
    """What the two say of each field's owner."""

    mine: Integration
    other: Integration
    partner: str
    owners: tuple[str, ...]
    back: Mapping[str, Shared]  # what the other one writes, by the field that it comes from
    words: Mapping[str, str | None]  # the owners that it says, by argument
    reads: Mapping[str, tuple[str, ...]]  # the fields that its arguments come from

    def objection(self, argument: str, grant: ValueGrant, owner: str) -> tuple[str, str, str] | None:
        """The key that is wrong, what, and what to do."""
        if owner not in self.owners:
            return "owner", f"is {owner}", f"write one of: {', '.join(self.owners)}"
        if len(grant.from_) != 1 or "." in grant.from_[0]:
            todo = "what goes both ways comes from one field"
            return "from", "is not one field of the entry itself", todo
        own, opposite = grant.from_[0], self.back.get(argument)
        if opposite is None:
            what = f"is {owner}, and {self.partner} writes nothing from {argument}"
            alone = owner == self.mine.source
            return None if alone else ("owner", what, f"grant it there, or write {self.mine.source}")
        if opposite.there != own:
            what = f"comes from {own}, and {self.partner} writes {opposite.there} from {argument}"
            return "from", what, "let both be about the same two fields"
        theirs = self.words[opposite.argument]
        if theirs != owner:
            what = f"is {owner}, and {self.partner} says {theirs or 'nothing'}"
            return "owner", what, "let both say the same"
        return None


def shared(mine: Integration, other: Integration) -> Iterator[Shared]:
    """The arguments of the paired write. One that says no owner is its source's."""
    assert mine.pair is not None
    keeps = bool(mine.targets[mine.pair.target].tables)
    for _, argument, grant in _arguments(mine):
        if grant.owner is None:  # goes one way
            yield Shared(argument, "", "", "ours", key=argument)
        else:
            own = grant.from_[0] if grant.from_ else ""
            owner = _owner(grant.owner, mine, other)
            yield Shared(argument, own, argument, owner, key=argument if keeps else own)


def _owner(word: str, mine: Integration, other: Integration) -> Owner:
    if word == NEWEST:
        return "newest"
    if word == PERSON:
        return "person"
    return "theirs" if word == other.source and word != mine.source else "ours"


def paired_write(integration: Integration) -> tuple[str, Place]:
    """The one write of the paired target at whose fields an owner is said, and where; ("", ()) if not one."""
    found = {(operation, place) for operation, place, _, grant in _all(integration) if grant.owner}
    return next(iter(found)) if len(found) == 1 else ("", ())


def _arguments(integration: Integration) -> Iterator[tuple[Place, str, ValueGrant]]:
    operation, _ = paired_write(integration)
    for name, place, argument, grant in _all(integration):
        if name == operation:
            yield place, argument, grant


def _all(integration: Integration) -> Iterator[tuple[str, Place, str, ValueGrant]]:
    """Every granted argument of the paired target: operation, where its arguments stand, name, grant."""
    for target, operation, place, argument, grant in granted(integration):
        if integration.pair and target == integration.pair.target:
            yield operation, place, argument, grant


def granted(integration: Integration) -> Iterator[tuple[str, str, Place, str, ValueGrant]]:
    """Every granted argument: target, operation, where the operation's arguments stand, name, grant."""
    for name, target in integration.targets.items():
        here: Place = ("targets", name)
        for at, table in enumerate(target.tables):
            for column, grant in table.columns.items():
                yield name, f"{name}_upsert_{table.name}", (*here, "tables", at, "columns"), column, grant
        for write, given in target.writes.items():
            for argument, one in given.arguments.items():
                yield name, f"{name}_{write}", (*here, "writes", write, "arguments"), argument, one
