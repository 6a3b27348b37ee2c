"""What a person sees of fleet, plan, provision and audit: words, shapes, JSON alone, exit codes."""

import asyncio
import json
import sys

import pytest

from hedgerow.cli.main import main


async def command(*arguments: str) -> tuple[int, str, str]:
    """Run hedgerow as its own program, while this event loop keeps the boards alive."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hedgerow", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fleet_new_says_what_it_made_and_what_comes_next(here, capsys):
    assert main(["fleet", "new", "river valley", "--stewards", "Ana,Ben,Cy"]) == 0
    said = capsys.readouterr().out
    assert "2 of 3 decide" in said
    assert "secrets.toml" in said
    assert "hedgerow provision" in said
    assert (here / "river-valley" / "fleet.toml").is_file()


def test_fleet_new_never_overwrites(here, capsys):
    assert main(["fleet", "new", "river"]) == 0
    assert main(["fleet", "new", "river"]) == 2
    assert "already" in capsys.readouterr().err


def test_fleet_show_prints_json_alone(here, capsys):
    main(["fleet", "new", "river", "--json"])
    made = json.loads(capsys.readouterr().out)
    assert main(["fleet", "show", "--fleet", "river", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == made
    assert shown["charter"]["threshold"] == 1


def test_a_mistake_in_fleet_toml_ends_with_its_line_and_exit_code_2(here, capsys):
    main(["fleet", "new", "river"])
    with (here / "river" / "fleet.toml").open("a") as file:
        file.write('\n[[node]]\nname = "oak"\nbord = "RPI_PICO"\n')
    assert main(["fleet", "show", "--fleet", "river"]) == 2
    said = capsys.readouterr().err
    assert "fleet.toml, line " in said
    assert "did you mean board?" in said


def test_commands_without_a_fleet_or_a_port_say_what_to_do(here, capsys):
    assert main(["provision", "-p", "COM77"]) == 2
    assert "hedgerow fleet new" in capsys.readouterr().err
    main(["fleet", "new", "river"])
    assert main(["provision", "--fleet", "river"]) == 2
    assert "hedgerow devices" in capsys.readouterr().err
    assert main(["provision", "oak", "-p", "COM77", "--fleet", "river"]) == 2
    assert "names no node oak" in capsys.readouterr().err


def test_a_missing_port_is_a_fail_in_words_with_exit_code_3(here, capsys):
    main(["fleet", "new", "river"])
    capsys.readouterr()
    assert main(["provision", "-p", "/dev/nothing-there", "--fleet", "river"]) == 3
    said = capsys.readouterr()
    assert "✘ FAIL" in said.out
    assert "0 of 1 ports passed" in said.out


def test_plan_provision_and_audit_tell_one_story(workshop, run):
    async def story():
        async with workshop(2) as shop:
            at = [word for port in shop.ports for word in ("-p", port)] + ["--fleet", str(shop.fleet.path)]
            code, out, _ = await command("plan", *at)
            assert code == 0
            assert "make an identity on the node" in out
            code, out, err = await command("provision", *at)
            assert code == 0, err
            assert out.count("✔ PASS") == 2
            assert "2 of 2 ports passed" in out
            code, out, _ = await command("plan", *at, "--json")
            assert [one["changes"] for one in json.loads(out)] == [[], []]
            code, out, _ = await command("audit", *at)
            assert code == 0
            assert "no findings: 2 nodes asked" in out
            code, out, _ = await command("audit", "--fleet", str(shop.fleet.path), "--json")
            assert json.loads(out)["good"] is True  # judged by what they said a moment ago
            code, out, _ = await command("fleet", "show", "--fleet", str(shop.fleet.path), "--json")
            assert [node["short"] for node in json.loads(out)["nodes"]] == [1, 2]

    run(story())


def test_a_failed_port_does_not_hide_the_others_and_findings_have_exit_code_1(workshop, run):
    async def story():
        async with workshop(1) as shop:
            fleet = ["--fleet", str(shop.fleet.path)]
            code, out, _ = await command("provision", "-p", "/dev/nothing", "-p", shop.ports[0], *fleet, "--json")
            facts = json.loads(out)
            assert code == 3
            assert facts["passed"] == 1
            assert [port["result"] for port in facts["ports"]] == ["FAIL", "PASS"]
            path = shop.fleet.path / "fleet.toml"
            path.write_text(path.read_text() + "copies = 9\n")
            code, out, _ = await command("audit", "-p", shop.ports[0], *fleet)
            assert code == 1
            assert "configuration drift" in out
            assert "copies is 6" in " ".join(out.split())
            assert "✘ 1 finding" in out
            code, out, _ = await command("audit", "-p", shop.ports[0], "-p", "/dev/nothing", *fleet, "--json")
            assert code == 3
            assert json.loads(out)["findings"][0]["path"] == "/config.cbor:copies"

    run(story())
