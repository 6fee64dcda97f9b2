"""Drafts are tried on entries, of which nothing leaves and nothing is left but counts."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.flows.refine.conftest import ANSWERS, Practice


def test_no_patient_data_leaves_or_is_left(practice: Practice, tmp_path: Path) -> None:
    practice.healthie.reset()
    words = [*practice.canaries, *(one for one in practice.healthie.ids() if len(one) > 4)]
    assert len(words) > 100
    for recording in ("first.yaml", "second.yaml"):
        lines, _ = practice.refined(recording)

        assert "tried on all 5 patients that were looked at" in lines
        assert "users" in str(practice.healthie.requests()["roots"])
        places = {"the wire": b"\n".join(practice.endpoint.bodies), "the lines": "\n".join(lines).encode()}
        places |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        for place, content in places.items():
            assert [word for word in words if word.encode() in content] == [], place
        (practice.folder / "answers.md").write_text(ANSWERS)


def test_that_entries_are_read_is_in_the_audit_first(practice: Practice, tmp_path: Path) -> None:
    practice.refined("first.yaml")

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}")
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT act, count FROM audit")).all()
    engine.dispose()
    assert ("entries of warehouse read to refine its instructions", 5) in [tuple(row) for row in rows]


def test_without_a_source_everything_but_the_counts_is_drafted(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_HEALTHIE_KEY")

    lines, _ = practice.refined("first.yaml")

    assert any(line.startswith("tried on no entries: acme: connection healthie needs") for line in lines)
    assert "that were looked at" not in practice.text("questions.md")
    assert (practice.folder / "program.py").exists()


def test_fewer_entries_may_be_asked_for(practice: Practice) -> None:
    lines, _ = practice.refined("first.yaml", entries=2)

    assert "tried on the 2 patients that were looked at" in lines


def test_ordinary_words_are_no_identifiers(practice: Practice) -> None:
    path = practice.folder / "business-logic.md"
    words = "From 2026-01-01, at most 182 days, 100000 cents, mail@example.com, CPT 99213, invi\u00adsible."
    path.write_text(f"{path.read_text()}\n{words}\n")

    _, recording = practice.refined("first.yaml")

    assert recording.wrong == []
    assert b"\\u00ad" not in practice.endpoint.bodies[0] and b"CPT 99213" in practice.endpoint.bodies[0]
