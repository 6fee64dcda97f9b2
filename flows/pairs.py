"""Pairs: two integrations that know each other, held against each other.

One of them, the keeper, writes the unique property by which the other system's records name the keeper's
entries. The other one, the reader, reads it. Both say of each field that goes both ways who owns it, and
have to say the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from flows.pairing import NEWEST, PERSON, Pairing
from flows.tenants import Integration, ValueGrant, load_integration
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
    source_there: str  # the connection that the other side is read through, and the options of it
    options_there: Mapping[str, JsonValue]
    keeper_operation: str  # the keeper's paired write, whose answers name the reader's records

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
        options_there=other.source_options,
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
            f"write pair: there, with: {name}",
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
                "say owner: at each field of one write that goes both ways",
            )


def _unkept(mine: Integration, pairing: Pairing, other: Integration, back: Pairing) -> Iterator[Objection]:
    """One of the two writes the unique property, and the other one names it."""
    target, theirs = mine.targets[pairing.target], other.targets[back.target]
    if bool(target.tables) == bool(theirs.tables):
        what = "and the other one's have both tables, or neither"
        yield ("targets", pairing.target), what, "one of the two writes the record's unique key, as a table"
        return
    if target.tables:
        if pairing.identity:
            yield ("pair", "identity"), "is the other one's to say: this one writes it", "remove it"
        table = next(
            one for one in target.tables if f"{pairing.target}_upsert_{one.name}" == paired_write(mine)[0]
        )
        if any(column.key for column in table.columns.values()):
            yield (
                ("targets", pairing.target),
                "has a key beside the patient",
                "pair a table whose key is the patient",
            )
        return
    kept = next(one for one in theirs.tables if f"{back.target}_upsert_{one.name}" == paired_write(other)[0])
    if pairing.identity != kept.patient:
        what = f"is {pairing.identity or 'missing'}, and {pairing.with_} writes the id into {kept.patient}"
        yield ("pair", "identity"), what, f"write {kept.patient}"


def _unowned(mine: Integration, pairing: Pairing, other: Integration) -> Iterator[Objection]:
    """Each field that goes both ways comes from one field, and both say whose it is."""
    owners = (mine.source, other.source, NEWEST, PERSON)
    back = {one.own: one for one in shared(other, mine)}
    word = {argument: grant.owner for _, argument, grant in _arguments(other)}
    _, place = paired_write(mine)
    mine_shared = {one.argument: one for one in shared(mine, other)}
    for there, argument, grant in _arguments(mine):
        if grant.owner is None:
            continue
        at = (*place, argument) if there == place else there
        if grant.owner not in owners:
            yield (*at, "owner"), f"is {grant.owner}", f"write one of: {', '.join(dict.fromkeys(owners))}"
            continue
        if len(grant.from_) != 1 or "." in grant.from_[0]:
            yield (
                (*at, "from"),
                "is not one field of the entry itself",
                "what goes both ways comes from one field",
            )
            continue
        field = mine_shared[argument]
        opposite = back.get(field.there)
        if opposite is None:
            if grant.owner != mine.source:
                what = f"is {grant.owner}, and {pairing.with_} does not write {field.own} from {field.there}"
                yield (*at, "owner"), what, f"grant it there, or write {mine.source}"
        elif opposite.there != field.own:
            what = f"comes from {field.own}, and {pairing.with_} writes {opposite.there} from {field.there}"
            yield (*at, "from"), what, "let both be about the same two fields"
        elif word[opposite.argument] != grant.owner:
            what = f"is {grant.owner}, and {pairing.with_} says {word[opposite.argument] or 'nothing'}"
            yield (*at, "owner"), what, "let both say the same"


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
    if integration.pair is None or integration.pair.target not in integration.targets:
        return
    name = integration.pair.target
    target = integration.targets[name]
    for at, table in enumerate(target.tables):
        for column, grant in table.columns.items():
            yield f"{name}_upsert_{table.name}", ("targets", name, "tables", at, "columns"), column, grant
    for write, given in target.writes.items():
        for argument, one in given.arguments.items():
            yield f"{name}_{write}", ("targets", name, "writes", write, "arguments"), argument, one
