"""What a program reads, and for which sentences: found without running it."""

import pytest

from agent.policy import Grant, OperationGrant, Policy
from agent.walk import reading

POLICY = Policy(
    operations={
        "crm_write": OperationGrant(
            arguments={
                "name": Grant(because=("S1",)),
                "E-mail": Grant(because=("S2",)),
                "payer": Grant(because=("S3",)),
                "note": Grant(),
            }
        )
    },
    sentences=("S1", "S2", "S3", "S4", "S5"),
    categories={},
    by="program",
)
ALL = "because=['S1', 'S2', 'S3']"
UNUSED = (False, frozenset[str]())


def used(source: str, path: str) -> tuple[bool, set[str]]:
    found, sentences = reading(source, POLICY).used(path)
    return found, set(sentences)


def body(*lines: str) -> str:
    return "\n    ".join(["def decide(entry, today):", *lines]) + "\n"


@pytest.mark.parametrize(
    ("source", "path", "sentences"),
    [
        (body(f"return [crm_write({ALL}, name=entry['first'])]"), "first", {"S1"}),
        (body(f"return [crm_write({ALL}, E_mail=entry.get('email', MISSING))]"), "email", {"S2"}),
        (body("a = entry['x']", f"return [crm_write({ALL}, name=a, payer=a)]"), "x", {"S1", "S3"}),
        (body("a, b = entry['x'], entry['y']", f"return [crm_write({ALL}, name=a, payer=b)]"), "y", {"S3"}),
        (body(f"return [crm_write({ALL}, name=f\"{{entry['x']}}!\")]"), "x", {"S1"}),
        (body(f"return [crm_write({ALL}, name='a' if entry['x'] > 1 else 'b')]"), "x", {"S1"}),
        (body("if (n := entry['x']):", "    pass", f"return [crm_write({ALL}, name=n)]"), "x", {"S1"}),
        (body(f"return [crm_write({ALL}, name=(entry['at'] or {{}}).get('city'))]"), "at.city", {"S1"}),
        (body(f"return [crm_write({ALL}, name=entry['p'][0]['num'])]"), "p.num", {"S1"}),
        (body(f"return [crm_write({ALL}, name=[p['num'] for p in entry['p'] if p['on']])]"), "p.on", {"S1"}),
        (body(f"return [crm_write({ALL}, payer=max(entry['p'], key=lambda p: p['d'])['n'])]"), "p.d", {"S3"}),
        (body(f"return [crm_write({ALL}, payer=max(entry['p'], key=lambda p: p['d'])['n'])]"), "p.n", {"S3"}),
        (body(f"return [crm_write({ALL}, note=entry['x'])]"), "x", {"S1", "S2", "S3"}),
        (
            body("rows = []", "for p in entry['p']:", "    rows.append(p['num'])")
            + f"    return [crm_write({ALL}, payer=rows[0])]\n",
            "p.num",
            {"S3"},
        ),
        (
            body(f"return [crm_write({ALL}, payer=rank(entry['p']))]")
            + "def rank(many):\n    best = None\n    for one in many:\n        if one['prio']:\n"
            + "            best = one\n    return best['num']\n",
            "p.prio",
            {"S3"},
        ),
        (
            body(f"return [crm_write({ALL}, payer=sorted(entry['p'], key=rank)[0]['num'])]")
            + "def rank(one):\n    return one['prio']\n",
            "p.prio",
            {"S3"},
        ),
        (
            body(f"return [crm_write({ALL}, name=low(entry['a']), E_mail=entry['b'])]")
            + "def low(text):\n    return text.lower()\n",
            "a",
            {"S1"},
        ),
        (body("for k in ['a', 'x']:", "    n = entry[k]", f"return [crm_write({ALL}, name=n)]"), "x", {"S1"}),
        ("KEY = 'email'\n" + body(f"return [crm_write({ALL}, E_mail=entry[KEY])]"), "email", {"S2"}),
        ("SAYS = ['S1', 'S2']\n" + body("return [crm_write(because=SAYS, E_mail=entry['x'])]"), "x", {"S2"}),
        (body("x = judge('S5', 'Urgent?', ['yes', 'no'], {'n': entry['note']})"), "note", {"S5"}),
        (body("match entry['k']:", "    case 'a':", "        return skip('S4', 'no')"), "k", {"S4"}),
    ],
)  # fmt: skip
def test_a_field_is_followed_to_the_sentences_it_is_used_for(
    source: str, path: str, sentences: set[str]
) -> None:
    assert used(source, path) == (True, sentences)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (body("if not entry['x']:", "    return skip('S4', 'no')", "return []"), "x"),  # all depends on it
        (body("return hand_over(entry)"), "x"),
        (body("z = entry['x']", "return []"), "x"),
        (body("return []") + "def unused(entry):\n    return entry['y']\n", "y"),
    ],
)
def test_what_is_not_clear_is_for_any_sentence(source: str, path: str) -> None:
    found, sentences = used(source, path)

    assert sentences == set()
    assert found == (path != "y")  # no entry ever reaches that function


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (body(f"return [crm_write({ALL}, name=entry['first'])]"), "last"),
        (body("n = len(entry['p'])", f"return [crm_write({ALL}, name=str(n))]"), "p.num"),
        (body(f"return [crm_write({ALL}, name='last')]", "# entry['last']"), "last"),
        (body(f"return [crm_write({ALL}, name=today['last'])]"), "last"),
        (body("for p in entry['p']:", f"    return [crm_write({ALL}, name=p['a'])]", "return []"), "p.b"),
    ],
)
def test_a_field_that_is_not_read_is_found(source: str, path: str) -> None:
    assert reading(source, POLICY).used(path) == UNUSED


def test_an_argument_is_told_with_its_line_and_the_sentences_of_its_call() -> None:
    source = body("a = 'S1'", "return [", "    crm_write(because=['S1'], E_mail='x')", "]")
    (given,) = reading(source, POLICY).given

    assert (given.line, given.operation, given.argument, given.because) == (
        4,
        "crm_write",
        "E-mail",
        {"S1"},
    )


def test_sentences_that_are_made_at_run_time_are_not_held_against_it() -> None:
    assert not reading(body("return [crm_write(because=['S1'] + more, name='x')]"), POLICY).given


def test_a_long_program_is_read_quickly() -> None:
    """A chain of fifty helpers: each pass takes what is known one step further."""
    helpers = "".join(f"def h{at}(x):\n    return h{at + 1}(x)\n" for at in range(50))
    source = (
        body(f"return [crm_write({ALL}, name=h0(entry['p']))]") + helpers + "def h50(x):\n    return x['n']\n"
    )

    assert used(source, "p.n") == (True, {"S1"})
