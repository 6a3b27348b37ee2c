"""Copies of ledgers merge to one state, and what they prove is told with evidence that stands alone."""

import itertools
import multiprocessing
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_ledger import Writer, copies

from hedgerow.errors import UsageError
from hedgerow.fleet import founding, keys, verdict
from hedgerow.fleet import ledger as ledgers
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.ledger import Copies
from hedgewire import ledger


def honest(number: int = 1, count: int = 5) -> Writer:
    writer = Writer(number)
    for _ in range(count):
        writer.note().sign()
    return writer


def kinds(found: Copies, known=None) -> list[str]:
    return [finding.kind for finding in verdict.judge(found, known).findings]


def the_finding(found: Copies, known=None) -> verdict.Finding:
    (finding,) = verdict.judge(found, known).findings
    return finding


def alone(finding: verdict.Finding) -> Copies:
    """What a third person has: the evidence and nothing else."""
    pages = [ledger.decode_page(page) for page in finding.evidence]
    return Copies.of(page for page in pages if isinstance(page, ledger.Page))


# ---- what copies prove


def test_an_honest_ledger_has_no_findings_whatever_of_its_heads_is_here():
    oak = honest().note().note().sign()
    assert kinds(copies(oak)) == []
    oak.heads = oak.heads[-1:]
    chain = verdict.judge(copies(oak)).chains[oak.public]
    assert [entry.seq for entry in chain.entries] == list(range(1, 8))
    assert (chain.gaps, chain.tail) == ([], [])


def test_entries_that_wait_for_a_signature_are_told_and_are_no_finding():
    oak = honest().note()
    found = verdict.judge(copies(oak))
    assert found.findings == ()
    assert [entry.seq for entry in found.chains[oak.public].tail] == [6]


def test_two_stories_of_one_key_are_a_fork_and_the_evidence_stands_alone():
    oak = honest()
    twin = oak.twin()
    oak.note("updated", app="1").note().sign()
    twin.note("updated", app="2").sign()
    finding = the_finding(copies(oak, twin))
    assert (finding.kind, finding.writer) == (verdict.FORK, oak.public)
    assert "at entry 6: head 7 and head 6" in finding.what
    assert verdict.FORK in kinds(alone(finding))


def test_a_fork_shows_also_where_only_the_heads_are_here():
    oak = honest()
    twin = oak.twin()
    oak.note(a=1).sign()
    twin.note(a=2).sign()
    oak.entries.clear()
    twin.entries.clear()
    assert verdict.FORK in kinds(copies(oak, twin))


def test_one_branch_is_one_fork_however_many_heads_it_has():
    oak = honest()
    twin = oak.twin()
    for number in range(4):
        oak.note(a=number).sign()
        twin.note(b=number).sign()
    assert kinds(copies(oak, twin)) == [verdict.FORK]


def test_an_older_copy_is_no_fork_and_no_rollback():
    oak = honest()
    older = oak.twin()
    oak.note().sign()
    assert kinds(copies(oak, older)) == []


def test_missing_entries_are_a_gap_with_its_numbers():
    oak = honest(count=9)
    del oak.entries[3:6]
    finding = the_finding(copies(oak))
    assert (finding.kind, finding.what) == (verdict.GAP, "entries 4 to 6 are not here")
    chain = verdict.judge(copies(oak)).chains[oak.public]
    assert [entry.seq for entry in chain.entries] == [1, 2, 3, 7, 8, 9]


def test_a_chain_whose_beginning_was_dropped_says_so_until_another_copy_has_it():
    oak = honest(count=9)
    whole = oak.twin()
    del oak.entries[:4]
    oak.heads = oak.heads[-1:]
    assert the_finding(copies(oak)).what == "entries 1 to 4 are not here"
    assert kinds(copies(oak).union(copies(whole))) == []


def test_a_head_that_went_back_before_one_auditor_is_a_rollback():
    oak, laptop = honest(), Writer(9)
    for head in (oak.heads[4], oak.heads[2]):
        laptop.note("audited", node=oak.id, seq=head[0], digest=head[1]).sign()
    finding = the_finding(copies(oak, laptop))
    assert (finding.kind, finding.writer) == (verdict.ROLLBACK, oak.public)
    assert "showed head 5 and later head 3" in finding.what
    assert verdict.ROLLBACK in kinds(alone(finding))


def test_a_head_that_grew_before_one_auditor_is_none():
    oak, laptop = honest(), Writer(9)
    for head in oak.heads:
        laptop.note("audited", node=oak.id, seq=head[0], digest=head[1]).sign()
    assert kinds(copies(oak, laptop)) == []


def test_false_signatures_are_named_and_count_for_nothing():
    oak, elm = honest(), honest(2)
    elm.vouch_for(oak)
    seq, digest, signature = oak.heads[-1]
    oak.heads.append((seq + 1, b"x" * 32, signature))
    oak.witnesses.append((*oak.witnesses[0][:3], elm.heads[0][2]))
    found = verdict.judge(copies(oak, elm))
    assert [finding.kind for finding in found.findings] == [verdict.BAD_SIGNATURE] * 2
    assert found.chains[oak.public].head == (seq, digest, signature)


def test_keys_that_nobody_knows_are_named_if_there_is_anybody_to_ask():
    oak, elm = honest(), honest(2)
    elm.vouch_for(oak)
    assert kinds(copies(oak, elm), {oak.public: "oak", elm.public: "elm"}) == []
    assert kinds(copies(oak), {oak.public: "oak"}) == [verdict.UNKNOWN_KEY]
    assert kinds(copies(oak, elm), {elm.public: "elm"}) == [verdict.UNKNOWN_KEY]
    assert kinds(copies(oak, elm), None) == []


def test_an_entry_that_leaves_out_numbers_without_a_word_is_broken():
    oak = honest().note("updated", at=9).sign()
    assert kinds(copies(oak)) == [verdict.BROKEN]


def test_a_first_entry_of_somebody_else_is_broken():
    oak, elm = honest(), honest(2)
    elm.entries = [oak.entries[0]]
    elm.heads = [(1, oak.entries[0].digest, keys.sign(elm.seed, ledger.head_statement(1, oak.entries[0].digest)))]
    assert kinds(copies(elm)) == [verdict.BROKEN]


def test_a_loss_that_the_writer_tells_is_shown_as_one():
    oak = honest().note("lost", at=5 + 1024, after=5).note().sign()
    assert kinds(copies(oak)) == [verdict.LOST]
    assert verdict.judge(copies(oak)).chains[oak.public].gaps == []


def test_a_loss_that_a_signed_head_contradicts_is_shown_with_that_head():
    oak = honest()
    before = oak.twin().note("updated", app="hidden").sign()
    oak.note("lost", at=5 + 1024, after=5).sign()
    found = verdict.judge(copies(oak, before)).findings
    assert [finding.kind for finding in found] == [verdict.LOST, verdict.LOST]
    assert any("but has signed head 6" in finding.what for finding in found)


def test_entries_that_nobody_signed_are_not_believed():
    oak = honest()
    forged = oak.twin()
    forged.entries = forged.entries[:2]
    forged.note("resource", what="gold", amount_x1000=10**6)
    oak.entries += forged.entries[2:]
    finding = the_finding(copies(oak))
    assert (finding.kind, "1 entry is" in finding.what) == (verdict.UNSIGNED, True)


def test_what_is_signed_or_vouched_for_and_not_fetched_yet_is_told_and_no_finding():
    oak, elm = honest(), honest(2)
    later = oak.twin().note().sign()
    elm.vouch_for(later)
    oak.witnesses = later.witnesses
    found = verdict.judge(copies(oak, elm))
    assert (found.findings, found.chains[oak.public].behind) == ((), (6, 6))
    later.entries.clear()
    found = verdict.judge(copies(oak, later))
    assert (found.findings, found.chains[oak.public].behind) == ((), (6, 6))
    assert verdict.judge(copies(later)).chains[oak.public].behind == (1, 6)


def test_a_witness_of_another_past_is_a_contradiction():
    oak, elm = honest(), honest(2)
    other = Writer(1)
    for number in range(3):
        other.note(story=number)
    other.sign()
    elm.vouch_for(other)
    oak.witnesses = other.witnesses
    assert kinds(copies(oak, elm)) == [verdict.CONTRADICTED]


def test_who_vouches_is_told():
    oak, elm = honest(), honest(2)
    elm.vouch_for(oak)
    assert verdict.judge(copies(oak, elm)).chains[oak.public].vouched == {elm.public}


# ---- merging


@st.composite
def histories(draw) -> Copies:
    """Several writers who note, sign, vouch for each other, fork, lie and lose things, as hypothesis likes."""
    branches = [Writer(number) for number in range(1, draw(st.integers(1, 3)) + 1)]
    for _ in range(draw(st.integers(0, 25))):
        one = branches[draw(st.integers(0, len(branches) - 1))]
        match draw(st.sampled_from(["note", "note", "sign", "twin", "vouch", "audit", "lose", "lie", "jump"])):
            case "note":
                one.note("updated", app=draw(st.sampled_from("abc")))
            case "sign" if one.entries:
                one.sign()
            case "twin" if len(branches) < 6:
                branches.append(one.twin())
            case "vouch":
                other = branches[draw(st.integers(0, len(branches) - 1))]
                if other.heads:
                    one.vouch_for(other)
            case "audit":
                other = branches[draw(st.integers(0, len(branches) - 1))]
                if other.heads:
                    head = draw(st.sampled_from(other.heads))
                    one.note("audited", node=other.id, seq=head[0], digest=head[1]).sign()
            case "lose" if len(one.entries) > 1:
                del one.entries[draw(st.integers(0, len(one.entries) - 2))]
            case "lie" if one.heads:
                one.heads.append((one.heads[0][0] + 1, one.heads[0][1], one.heads[0][2]))
            case "jump":
                one.note("lost", at=one.last[0] + 1024, after=draw(st.sampled_from([one.last[0], 0])))
    return copies(*branches)


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_copies_merge_in_any_order_to_the_same_state_and_the_same_verdict(whole, chance, count):
    parts = []
    for _ in range(count):
        rows = [sorted(part) for part in (whole.entries, whole.heads, whole.witnesses)]
        chosen = [frozenset(chance.sample(one, chance.randint(0, len(one)))) for one in rows]
        parts.append(Copies(*chosen))
    parts.append(whole.without(Copies().union(parts[0])))
    parts.append(parts[0])
    merged = []
    for order in (parts, parts[::-1], chance.sample(parts, len(parts))):
        state = Copies()
        for part in order:
            state = state.union(part)
            pages = [ledger.decode_page(page) for page in state.pages().values()]
            state = Copies.of(page for page in pages if isinstance(page, ledger.Page))  # as files on the way
        merged.append(state)
    assert merged[0] == merged[1] == merged[2]
    assert merged[0].entries >= parts[-1].entries
    verdicts = [verdict.judge(state) for state in merged]
    assert verdicts[0].findings == verdicts[1].findings == verdicts[2].findings
    for one, other in itertools.pairwise(verdicts):
        for writer, chain in one.chains.items():
            assert [entry.digest for entry in chain.entries] == [entry.digest for entry in other.chains[writer].entries]


@settings(max_examples=100, deadline=None)
@given(histories())
def test_every_fork_that_is_told_can_be_checked_from_its_evidence_alone(whole):
    for finding in verdict.judge(whole).findings:
        if finding.kind == verdict.FORK:
            assert verdict.FORK in {one.kind for one in verdict.judge(alone(finding)).findings}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_what_an_honest_writer_has_signed_is_never_called_a_fork(seed):
    chance = random.Random(seed)
    oak = Writer(1)
    for _ in range(chance.randint(1, 30)):
        oak.note(n=chance.randint(0, 3))
        if chance.random() < 0.3:
            oak.sign()
    oak.sign()
    whole = copies(oak)
    part = replace(
        whole, entries=frozenset(chance.sample(sorted(whole.entries), chance.randint(0, len(whole.entries))))
    )
    assert set(kinds(part)) <= {verdict.GAP, verdict.UNSIGNED}  # and never a fork, nor anything else against it


# ---- the folder


@pytest.fixture
def fleet(tmp_path):
    with founding.found(tmp_path / "river", "river") as made:
        yield made


def test_a_laptop_adds_to_its_own_chain_and_every_entry_is_signed(fleet):
    for number in range(3):
        fleet.note("resource", {"what": "solder", "amount_x1000": number, "unit": "g", "note": ""})
    chain = verdict.judge(fleet.ledger.copies, fleet.known_keys).chains[fleet.secrets.laptop]
    assert [entry.fields["amount_x1000"] for entry in chain.entries][-3:] == [0, 1, 2]
    assert chain.tail == []
    assert verdict.judge(fleet.ledger.copies, fleet.known_keys).findings == ()


def test_a_steward_has_a_chain_of_their_own(fleet):
    [(name, key)] = fleet.secrets.stewards.items()
    seed = key.seed
    fleet.note("signed", {"document": b"12345678"}, seed=seed)
    chains = verdict.judge(fleet.ledger.copies, fleet.known_keys).chains
    assert fleet.known_keys[keys.public_of(seed)] == name
    assert [entry.kind for entry in chains[keys.public_of(seed)].entries][-1] == "signed"


def test_what_is_too_long_for_an_entry_is_refused_in_a_sentence(fleet):
    with pytest.raises(UsageError, match="1024 bytes"):
        fleet.note("resource", {"note": "x" * 2000})


def test_a_laptop_without_a_key_notes_nothing(fleet):
    (fleet.path / "secrets.toml").unlink()
    assert fleet.note("resource", {}) is None


def test_folders_merge_as_files_both_ways(fleet, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    fleet.note("resource", {"what": "a"})
    for page in copies(honest(), honest(2)).pages().values():
        ledgers.write(other, page)
    mine = {path.name: path.read_bytes() for path in ledgers.files_in(fleet.ledger_path)}
    theirs = {path.name: path.read_bytes() for path in ledgers.files_in(other)}
    assert not set(mine) & set(theirs)
    for name, data in mine.items():
        (other / name).write_bytes(data)
    for name, data in theirs.items():
        (fleet.ledger_path / name).write_bytes(data)
    assert ledgers.read(ledgers.files_in(other)).copies == fleet.ledger.copies


def test_a_damaged_file_is_named_and_left_alone(fleet):
    fleet.note("resource", {"what": "a"})
    [path] = ledgers.files_in(fleet.ledger_path)
    bad = fleet.ledger_path / "bad.cbor"
    bad.write_bytes(path.read_bytes()[:-1])
    assert fleet.ledger.damaged == ((bad, "truncated"),)
    assert len(fleet.ledger.copies.heads) == 1


def _note_many(path, count):
    with FleetFolder(path) as opened:
        for number in range(count):
            opened.note("resource", {"what": str(number)})


def test_two_processes_of_one_laptop_do_not_fork_its_chain(fleet):
    context = multiprocessing.get_context("spawn")
    working = [context.Process(target=_note_many, args=(fleet.path, 8)) for _ in range(2)]
    for process in working:
        process.start()
    for process in working:
        process.join(50)
        assert process.exitcode == 0
    found = verdict.judge(fleet.ledger.copies, fleet.known_keys)
    assert found.findings == ()
    assert len(found.chains[fleet.secrets.laptop].entries) == 16


def test_an_old_backup_of_a_laptop_that_goes_on_is_seen_as_a_fork(fleet):
    fleet.note("resource", {"what": "a"})
    fleet.note("resource", {"what": "b"})
    newest = max(
        ledgers.files_in(fleet.ledger_path),
        key=lambda path: (
            ledgers.read([path]).copies.heads and max(head[0] for _, head in ledgers.read([path]).copies.heads)
        ),
    )
    kept = newest.read_bytes()
    newest.unlink()
    fleet.note("resource", {"what": "c"})
    newest.write_bytes(kept)
    assert kinds(fleet.ledger.copies, fleet.known_keys) == [verdict.FORK]
