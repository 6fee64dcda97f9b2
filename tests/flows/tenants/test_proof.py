"""What decides in production has shown on the golden examples that it decides right."""

from pathlib import Path

import pytest

from flows import pins, proof
from flows.approval import NotApproved
from flows.check import check
from tests.flows.tenants.proofs import MODEL, approve, example, proved


def test_production_needs_a_proof_and_others_do_not(folder: Path) -> None:
    with pytest.raises(
        NotApproved, match=r"what decides, program, was not tested .*; run: ferry test example"
    ):
        approve(folder)
    approve(folder, production=False)
    proved(folder)

    approve(folder)


def test_a_proof_of_other_files_does_not_do(folder: Path) -> None:
    proved(folder)
    example(folder, "another")

    with pytest.raises(NotApproved, match=r"was tested with other files \(golden/another\.yaml\)"):
        approve(folder)


def test_one_wrong_example_of_a_program_is_too_many(folder: Path) -> None:
    proved(folder, passed=0)

    with pytest.raises(NotApproved, match="answered 1 of 1 golden examples wrongly"):
        approve(folder)


def test_a_proof_without_examples_proves_nothing(folder: Path) -> None:
    (folder / "golden").mkdir()
    proved(folder)

    with pytest.raises(NotApproved, match="has no golden example"):
        approve(folder)


def test_an_example_that_was_not_decided_is_missed(folder: Path) -> None:
    example(folder, "one")
    example(folder, "two")
    shown = proof.made(pins.tested(folder), {}, by="program", repeats=1, right={"one": 1}, bound=0.9)
    proof.put(folder, shown)

    with pytest.raises(NotApproved, match="was not tested on every golden example"):
        approve(folder)


def test_a_proof_that_was_edited_does_not_do(folder: Path) -> None:
    proved(folder, passed=0)
    path = folder / "proof.yaml"
    path.write_text(path.read_text().replace("archived.yaml: 0", "archived.yaml: 1"))

    with pytest.raises(NotApproved, match=r"proof\.yaml: was changed by hand; test again"):
        approve(folder)


def test_a_model_is_to_be_right_eight_times_in_a_row(modelled: Path) -> None:
    proved(modelled, MODEL, repeats=7)
    with pytest.raises(NotApproved, match="was tested 7 times, and 8 are needed"):
        approve(modelled)
    proved(modelled, MODEL, repeats=8, passed=7)
    with pytest.raises(NotApproved, match=r"right 8 times in a row; 0\.9 are needed"):
        approve(modelled)
    proved(modelled, MODEL, repeats=8)

    approve(modelled)


def test_pass_hat_is_the_chance_of_so_many_in_a_row() -> None:
    shown = proof.made({}, {}, by=MODEL, repeats=4, right={"a": 4, "b": 2}, bound=0.1)

    assert shown.pass_hat(1) == 0.75
    assert shown.pass_hat(2) == pytest.approx((1 + 1 / 6) / 2)
    assert shown.pass_hat(4) == 0.5
    assert shown.pass_hat(5) == 0.0


def test_check_tells_what_is_not_proved(folder: Path) -> None:
    proved(folder)
    approve(folder)
    example(folder, "another")

    told = {one.what for one in check(folder.parents[1], ["example"], production=True)}

    assert "what decides, program, was tested with other files (golden/another.yaml)" in told
    assert "golden/another.yaml was not approved" in told


def test_a_shorter_test_of_the_same_ends_no_approval_unless_it_is_not_passed(modelled: Path) -> None:
    proved(modelled, MODEL, repeats=8)
    approve(modelled)
    shown = proof.read(modelled)

    proved(modelled, MODEL, repeats=1)
    assert proof.read(modelled) == shown
    proved(modelled, MODEL, repeats=9)
    assert [one.repeats for one in proof.read(modelled)] == [9]
    proved(modelled, MODEL, repeats=4, passed=3)
    assert [one.repeats for one in proof.read(modelled)] == [4]

    with pytest.raises(NotApproved, match="was tested 4 times, and 8 are needed"):
        approve(modelled)


def test_a_shorter_test_of_other_settings_or_examples_takes_the_place_of_a_longer_one(modelled: Path) -> None:
    proved(modelled, MODEL, repeats=8)
    tenant = modelled.parent / "tenant.yaml"
    tenant.write_text(tenant.read_text().replace('request_timeout: "60"', 'request_timeout: "61"'))
    proved(modelled, MODEL, repeats=7)
    assert [one.repeats for one in proof.read(modelled)] == [7]
    example(modelled, "three")
    proved(modelled, MODEL, repeats=6)

    assert [(one.repeats, len(one.passed)) for one in proof.read(modelled)] == [(6, 3)]


def test_a_short_test_that_is_right_often_enough_is_passed(modelled: Path) -> None:
    files, right = pins.tested(modelled), {"one": 2, "two": 2}
    long = proof.made(files, {}, by=MODEL, repeats=8, right={"one": 8, "two": 8}, bound=0.2)
    proof.put(modelled, long, 0.5)

    proof.put(modelled, proof.made(files, {}, by=MODEL, repeats=2, right=right | {"two": 0}, bound=0.8), 0.5)
    assert proof.read(modelled) == (long,)
    proof.put(modelled, proof.made(files, {}, by=MODEL, repeats=2, right=right | {"two": 0}, bound=0.8), 0.6)
    assert [one.repeats for one in proof.read(modelled)] == [2]
