"""Work without a meeting, on virtual boards: two laptops on one day, one on a roof, a stolen one, a lost one."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import papers as made
import pytest

from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet import boards, founding, joining, keys, laptops, proposal
from hedgerow.fleet.charter import Revocation
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.registry import Registry
from hedgerow.plans import papers, reach
from hedgerow.plans.parallel import Bench
from hedgerow.session import Session
from hedgerow.transports import ports
from hedgerow.virtual import VirtualBoard

BOARD = "ESP32_GENERIC_S3"
A_DAY = 7
AT_ONCE = 2


@pytest.fixture
def powered(tmp_path, micropython):
    """`async with powered(3) as boards:` are bare boards; a number is a seed for their chips, too."""

    @asynccontextmanager
    async def opened(count: int, first: int = 1):
        async with AsyncExitStack() as stack:
            bare = []
            for number in range(first, first + count):
                board = VirtualBoard(
                    boards.load(BOARD), tmp_path / f"board-{number}", micropython, uid=bytes([number]) * 8
                )
                stack.push_async_callback(board.close)
                await board.start()
                bare.append(board)
            yield bare

    return opened


def name_nodes(fleet: FleetFolder, prefix: str, count: int) -> None:
    with (fleet.path / "fleet.toml").open("a", encoding="utf-8") as file:
        for number in range(1, count + 1):
            file.write(proposal.node_text(f"{prefix}{number}", BOARD))
    fleet.__dict__.pop("proposal", None)


def second_laptop(fleet: FleetFolder, path, **limits) -> FleetFolder:
    """Joined from the first one's folder, and certified by its stewards; only a request and an answer travel."""
    other = joining.join(path, joining.understand(fleet.registry.documents()), "[fleet]\nname = 'river'\n")
    asked = laptops.read_request(laptops.request(other, "field"))
    assert asked is not None
    paper = laptops.certify(fleet, asked, limits.get("enrolments", 50), limits.get("until"))
    other.add(laptops.answer(fleet, paper))
    return other


async def provision(fleet: FleetFolder, bare, **seams):
    return await Bench(fleet, **seams).provision([str(board.link) for board in bare])


async def must_provision(fleet: FleetFolder, bare, **seams) -> None:
    for result in await provision(fleet, bare, **seams):
        assert result.passed, result.error


async def ask(board, method: str, params=None):
    async with Session(await ports.connect(str(board.link)), name=str(board.link)) as session:
        return await session.ask(method, params or {}, timeout_s=30)


@pytest.mark.timeout(120)
def test_two_offline_laptops_enrol_14_boards_on_one_day_and_merge_without_a_conflict(tmp_path, powered):
    async def story():
        first = founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"])
        with first as cafe, second_laptop(cafe, tmp_path / "field") as field:
            name_nodes(cafe, "cafe-", A_DAY)
            name_nodes(field, "field-", A_DAY)
            async with powered(A_DAY) as here, powered(A_DAY, first=101) as there:
                # Hand in hand, a few boards on each table at a time: that is how many a busy computer serves at once.
                for start in range(0, A_DAY, AT_ONCE):
                    table, hill = here[start : start + AT_ONCE], there[start : start + AT_ONCE]
                    await asyncio.gather(must_provision(cafe, table), must_provision(field, hill))
            assert (len(cafe.roster.nodes), len(field.roster.nodes)) == (A_DAY, A_DAY)
            cafe.merge(field.registry)
            field.merge(cafe.registry)
            for laptop in (cafe, field):
                assert laptop.roster.conflicts == []
                assert len({node.short for node in laptop.roster.nodes}) == 2 * A_DAY
            assert cafe.roster == field.roster

    asyncio.run(story())


def test_one_person_alone_and_offline_updates_and_repairs_a_node_on_a_roof(tmp_path, powered):
    async def story():
        with founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"]) as cafe:
            name_nodes(cafe, "oak-", 1)
            async with powered(1) as (board,):
                await must_provision(cafe, [board])
                # Nobody's secrets but her own laptop's are on the roof.
                with second_laptop(cafe, tmp_path / "roof") as roof:
                    assert roof.secrets.stewards == {}
                    (roof.path / "fleet.toml").write_text((cafe.path / "fleet.toml").read_text())
                    await ask(board, "remove", {"path": "/a/hedgenode/rules/quota.mpy"})
                    with (roof.path / "fleet.toml").open("a") as file:
                        file.write("copies = 9\n")
                    roof.__dict__.pop("proposal", None)
                    (result,) = await provision(roof, [board])
                    assert result.passed, result.error
                    assert any("install 1 file" in change for change in result.changes)
                    assert (await ask(board, "config"))["copies"] == 9
                    # The node now knows this laptop, and the first one still knows the node.
                    kinds = [kind for _, kind in await ask(board, "documents")]
                    assert kinds.count("laptop") == 2
                    assert len(roof.roster.nodes) == 1

    asyncio.run(story())


def test_a_stolen_laptop_takes_in_no_more_than_its_certificate_says_and_nothing_once_it_is_revoked(tmp_path):
    with founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"]) as cafe:
        name_nodes(cafe, "n", 1)
        with second_laptop(cafe, tmp_path / "stolen", enrolments=2) as stolen:
            name_nodes(stolen, "s", 9)
            for number in (1, 2):
                stolen.enrol(stolen.inventory.named(f"s{number}"), made.node_key(number))
            with pytest.raises(RefusedError, match="allows 2 enrolments"):
                stolen.enrol(stolen.inventory.named("s3"), made.node_key(3))
            # A thief writes the paper without the tool; every other laptop refuses it at the merge.
            forged = replace(stolen.roster.nodes[0], node=made.node_key(3), name="s3", short=253, serial=3)
            forged.__dict__.pop("digest", None)
            stolen.add([forged.to_document().signed(stolen.secrets.laptop_seed)])
            cafe.merge(stolen.registry)
            assert [node.name for node in cafe.roster.nodes] == ["s1", "s2"]
            assert "allows 2 enrolments" in str(cafe.roster.conflicts[0])
            # Its revocation arrives: nothing from it counts but what somebody else vouches for.
            thief = keys.key_id(stolen.secrets.laptop)
            seeds = [key.seed for key in cafe.secrets.stewards.values()]
            good = next(one for one in cafe.registry.documents("enrolment") if one.fields["name"] == "s1")
            cafe.sign(good, cafe.secrets.laptop_seed)
            cafe.sign(Revocation(cafe.fleet_id, 1, (thief,)).to_document(), *seeds)
            assert [node.name for node in cafe.roster.nodes] == ["s1"]
            stolen.merge(cafe.registry)
            with pytest.raises(RefusedError, match="was revoked"):
                stolen.enrol(stolen.inventory.named("s4"), made.node_key(4))


def test_a_laptop_whose_term_has_ended_enrols_no_more_and_its_nodes_stay(tmp_path):
    first = founding.found(tmp_path / "river", "river", ["Ana"])
    with first as cafe, second_laptop(cafe, tmp_path / "field", until=1) as field:
        name_nodes(field, "f", 2)
        field.enrol(field.inventory.named("f1"), made.node_key(1))
        seeds = [key.seed for key in cafe.secrets.stewards.values()]
        later = replace(cafe.charter, version=2, fleet=cafe.fleet_id, parent=cafe.charter.digest)
        cafe.sign(later.to_document(), *seeds)
        field.merge(cafe.registry)
        assert [node.name for node in field.roster.nodes] == ["f1"]
        with pytest.raises(RefusedError, match="ended with charter 1"):
            field.enrol(field.inventory.named("f2"), made.node_key(2))


def test_a_node_takes_documents_from_anybody_and_only_those_that_count(tmp_path, powered):
    async def story():
        with founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"]) as cafe:
            name_nodes(cafe, "n", 1)
            async with powered(1) as (board,):
                await must_provision(cafe, [board])
                first = cafe.charter
                seeds = [key.seed for key in cafe.secrets.stewards.values()]
                gone = Revocation(first.fleet_id, 1, (b"whoever.",)).to_document()
                two = replace(first, version=2, fleet=first.fleet_id, parent=first.digest)
                for paper, sentence in (
                    (gone.signed(seeds[0]), "lacks 1 of 2"),
                    (two.to_document().signed(seeds[0], made.seed("Eve")), "lacks 1 of 2"),
                    (replace(two, version=3).to_document().signed(*seeds), "charter 2 is missing"),
                    (replace(two, fleet=b"other...").to_document().signed(*seeds), "another fleet"),
                    (cafe.registry.documents("enrolment")[0].signed(seeds[0]), None),
                ):
                    if sentence is None:
                        assert await ask(board, "document_put", {"data": paper.encode()}) == {}  # known already
                        continue
                    with pytest.raises(RefusedError, match=sentence):
                        await ask(board, "document_put", {"data": paper.encode()})
                cafe.sign(two.to_document(), *seeds[:2])
                cafe.sign(gone, *seeds[1:])
                async with reach.one_node("n1", [str(board.link)]) as reached:
                    wanted = papers.for_every_node(cafe.registry.documents())
                    given = await papers.give(reached.session, wanted)
                    again = await papers.give(reached.session, wanted)
                assert given.taken == ("charter", "revocation")
                assert again.taken == again.refused == ()
                assert (await ask(board, "hello"))["charter"] == 2
                assert (await ask(board, "config"))["charter"] == 2
                # What concerns everybody goes on as a bundle to everybody.
                assert len(await ask(board, "bundles")) == 2
                (result,) = await provision(cafe, [board])
                assert (result.error, result.changes) == (None, [])

    asyncio.run(story())


def test_a_lost_laptop_is_rebuilt_from_the_nodes_with_nothing_but_words_told_by_a_person(
    tmp_path, powered, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path / "empty"))

    async def story():
        with founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"]) as cafe:
            name_nodes(cafe, "n", 3)
            async with powered(3) as bare:
                await must_provision(cafe, bare)
                found, errors = await papers.from_nodes(None, [str(board.link) for board in bare])
            assert errors == []
            seen = joining.understand(found)
            with joining.join(tmp_path / "again", seen) as again:
                assert seen.words == joining.understand(cafe.registry.documents()).words
                assert again.charter == cafe.charter
                assert again.roster.nodes == cafe.roster.nodes
                assert [node.name for node in again.proposal.nodes] == ["n1", "n2", "n3"]
                with pytest.raises(RefusedError, match="can look but not enrol"):
                    _ = again.certificate

    asyncio.run(story())


def test_a_board_that_carries_anothers_key_is_not_taken_for_a_second_node(tmp_path, powered):
    async def story():
        with founding.found(tmp_path / "river", "river", ["Ana"]) as cafe:
            name_nodes(cafe, "n", 2)
            async with powered(1) as (board,):
                await must_provision(cafe, [board])
                data = await ask(board, "document", {"digest": (await ask(board, "documents"))[-1][0]})
                assert data["data"]
            # The clone: the same flash in another board, beside the first one.
            import shutil

            shutil.copytree(tmp_path / "board-1", tmp_path / "board-2", ignore=shutil.ignore_patterns("port"))
            async with powered(2) as both:
                results = await provision(cafe, both)
                assert all(isinstance(result.error, RefusedError) for result in results)
                assert "same key" in str(results[0].error)

    asyncio.run(story())


def test_documents_of_two_fleets_are_not_mixed_up(tmp_path):
    with founding.found(tmp_path / "a", "a", ["Ana"]) as one, founding.found(tmp_path / "b", "b", ["Ben"]) as other:
        both = [*one.registry.documents(), *other.registry.documents()]
        with pytest.raises(UsageError, match="more than one fleet"):
            joining.understand(both)
        assert joining.understand(both, other.fleet_id).now.name == "b"
        one.merge(other.registry)
        assert one.charter.name == "a"
        one.close()
        assert FleetFolder(tmp_path / "a").certificate.fleet == one.fleet_id
        (tmp_path / "x.sqlite").touch()
        Registry.in_file(tmp_path / "x.sqlite").close()


def test_a_mule_carries_documents_from_node_to_node_in_any_order(tmp_path, powered):
    async def story():
        with founding.found(tmp_path / "river", "river", ["Ana", "Ben", "Cy"]) as cafe:
            name_nodes(cafe, "n", 2)
            async with powered(2) as (near, far):
                await must_provision(cafe, [near, far])
                seeds = [key.seed for key in cafe.secrets.stewards.values()]
                before = cafe.charter
                for version in (2, 3):
                    before = replace(before, version=version, fleet=cafe.fleet_id, parent=before.digest)
                    before.__dict__.pop("digest", None)
                    paper = cafe.sign(before.to_document(), *seeds[:2])
                    await ask(near, "document_put", {"data": paper.encode()})
                carried = [
                    (await ask(near, "bundle", {"id": bytes(row[0])}))["data"] for row in await ask(near, "bundles")
                ]
                assert len(carried) == 2
                for data in sorted(carried, key=len, reverse=True):
                    await ask(far, "accept", {"data": bytes(data)})
                for _ in range(80):
                    if (await ask(far, "hello"))["charter"] == 3:
                        break
                    await asyncio.sleep(0.5)
                assert (await ask(far, "hello"))["charter"] == 3
                assert [kind for _, kind in await ask(far, "documents")].count("charter") == 3

    asyncio.run(story())
