"""What refining takes from an integration's folder: the words, the grants, the fields that may be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.instructions import TEXT_FILE, Instructions, Sentence
from agent.policy import Policy
from agent.refine import questions as asking
from agent.refine.questions import Question
from agent.refine.sentences import head_of
from agent.refine.telling import Words
from connectors.entry import Category, EntryField
from connectors.operation import Write
from flows import scaffold
from flows.check import offers
from flows.refine import words
from flows.refine.words import RefineInvalid
from flows.tenants import Integration, Tenant, load_integration

LOGIC_FILE = "business-logic.md"
ONLY_IF_APPROVED = frozenset({Category.CLINICAL, Category.FREE_TEXT})


class Readable(Mapping[str, EntryField]):
    """The fields that a sentence may need: clinical ones and free text only where a target may have them."""

    def __init__(self, fields: Mapping[str, EntryField], integration: Integration) -> None:
        approved = {one for target in integration.targets.values() for one in target.categories}
        self._fields, self._closed = fields, ONLY_IF_APPROVED - approved

    def __getitem__(self, path: str) -> EntryField:
        field = self._fields[path]
        if field.category in self._closed:
            raise KeyError(path)
        return field

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._fields if path in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class Scene:
    """One integration before it is refined."""

    folder: Path
    tenant: Tenant
    integration: Integration
    words: Words
    head: str  # what stands before the sentences
    fields: Mapping[str, EntryField]  # that an entry of the source may have

    @property
    def label(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    def policy(self, instructions: Instructions) -> Policy:
        """The grants with these sentences, for a program, without what they say of retired ones."""
        policy = self.integration.policy(instructions).model_copy(update={"by": "program"})
        known = frozenset(policy.sentences)
        operations = {
            name: grant.model_copy(
                update={
                    "arguments": {
                        argument: one.model_copy(
                            update={"because": tuple(s for s in one.because if s in known)}
                        )
                        for argument, one in grant.arguments.items()
                    }
                }
            )
            for name, grant in policy.operations.items()
        }
        return policy.model_copy(update={"operations": operations})


def scene(root: Path, label: str) -> Scene:
    """What refining starts from.

    Raises:
        IntegrationInvalid, InstructionsError, RefineInvalid: a file is missing or cannot be used.
    """
    tenant, integration = load_integration(root, label)
    folder = root / label
    logic = words.told(folder / LOGIC_FILE)
    if not logic.strip() or logic == scaffold.LOGIC:
        raise RefineInvalid(f"{folder / LOGIC_FILE}: holds nothing yet; write there what the practice wants")
    present = words.told(folder / TEXT_FILE)
    asked = asking.parsed(words.told(folder / asking.QUESTIONS_FILE))
    answers = _answers(folder / asking.ANSWERS_FILE, asked)
    sentences = _sentences(folder / TEXT_FILE, present)
    try:
        fields = offers.fields(integration, tenant.connections)
    except ValueError as error:
        raise RefineInvalid(f"{label}: integration.yaml: {str(error).splitlines()[0]}") from None
    told = Words(
        logic=logic,
        sentences=sentences,
        questions=asked,
        answers=answers,
        fields=Readable(fields, integration),
        policy=Policy(operations=integration.grants(), sentences=(), categories={}, by="program"),
        writes=_writes(label, tenant, integration),
    )
    head = head_of(present, label) if sentences else head_of("", label)
    return Scene(folder, tenant, integration, told, head, fields)


def _sentences(path: Path, text: str) -> tuple[Sentence, ...]:
    """The present sentences; none in what `ferry new` made."""
    folder = path.parent
    if not text or text == scaffold.INSTRUCTIONS.format(tenant=folder.parent.name, integration=folder.name):
        return ()
    return Instructions.parse(text, place=str(path)).sentences


def _answers(path: Path, asked: tuple[Question, ...]) -> dict[str, str]:
    return asking.answers(words.told(path), [question.number for question in asked], str(path))


def _writes(label: str, tenant: Tenant, integration: Integration) -> dict[str, Write]:
    """The granted writes by full name; no target is reached for that."""
    offered: dict[str, Write] = {}
    for name, target in integration.targets.items():
        connector = tenant.connections[target.connection].connector
        try:
            writes = offers.offered(connector, target).writes
        except ValueError as error:
            raise RefineInvalid(f"{label}: integration.yaml: {str(error).splitlines()[0]}") from None
        offered |= {f"{name}_{short}": write for short, write in writes.items()}
    for name, grant in integration.grants().items():
        arguments = offered[name].arguments.model_fields.items() if name in offered else ()
        unknown = set(grant.arguments) - {field.alias or argument for argument, field in arguments}
        if name not in offered or unknown:
            raise RefineInvalid(f"{label}: integration.yaml grants what no target has; run: ferry check")
    return {name: offered[name] for name in integration.grants()}
