"""What a person types and gets: amounts, JSON, pictures, sentences for mistakes."""

import json

import pytest
from tiny_worlds import job

from hedgerow.cli.main import main
from hedgerow.errors import UsageError
from hedgerow.sim import amounts, run, sweep
from hedgerow.sim.traffic import Traffic

KEYS = ["created", "delivered", "relayed", "delivery_ratio", "overhead_ratio", "latency_mean_s", "latency_median_s"]
SMALL = ["--until", "3h", "--nodes", "20", "--messages", "200-300B/30-60s"]


def test_amounts_as_people_write_them():
    assert amounts.size_bytes("16kB") == 16_000
    assert amounts.size_bytes("2 MiB") == 2 * 1024**2
    assert amounts.duration_s("300min") == 18_000
    assert amounts.duration_s("43200") == 43_200
    assert amounts.rate_bytes_s("50kB/s") == 50_000
    assert amounts.traffic("200-1000B/25-35s") == Traffic(200, 1000, 25, 35)
    assert amounts.traffic("1kB/1min") == Traffic(1000, 1000, 60, 60)


@pytest.mark.parametrize("text", ["", "16", "kB", "16 qB/s", "-1kB/s", "0kB/s", "1e9kB/s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(UsageError):
        amounts.rate_bytes_s(text)


@pytest.mark.parametrize("text", ["", "200B", "200B/", "1000-200B/30s", "200B/0s", "2..5B/30s", "200XB/30s"])
def test_what_says_no_messages_is_refused(text):
    with pytest.raises(UsageError):
        amounts.traffic(text)


def test_json_has_the_keys_and_nothing_else_is_printed(capsys):
    assert main(["sim", "town", "--json", *SMALL]) == 0
    row = json.loads(capsys.readouterr().out)
    assert set(KEYS) <= set(row)
    assert row["delivery_ratio"] == pytest.approx(row["delivered"] / row["created"], abs=1e-6)
    assert row["overhead_ratio"] == pytest.approx((row["relayed"] - row["delivered"]) / row["delivered"], abs=1e-4)


def test_several_routers_and_seeds_give_a_list_and_a_page(tmp_path, capsys):
    page = tmp_path / "page.html"
    assert (
        main(["sim", "town", "--router", "hedgerow,direct", "--seed", "1-2", "--page", str(page), "--json", *SMALL])
        == 0
    )
    rows = json.loads(capsys.readouterr().out)
    assert [(row["seed"], row["router"]) for row in rows] == [
        (1, "hedgerow"),
        (1, "direct"),
        (2, "hedgerow"),
        (2, "direct"),
    ]
    text = page.read_text()
    assert "<svg" in text
    assert "hedgerow 2" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_people_get_a_table(capsys):
    assert main(["sim", "town", "--router", "direct", *SMALL]) == 0
    assert "overhead" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.txt"], "there is no trace nowhere.txt"),
        (["town", "--router", "magic"], "there is no router 'magic'"),
        (["town", "--seed", "3-1"], "names no seeds"),
        (["town", "--nodes", "1"], "cannot be made"),
        (["town", "--buffer", "much"], "is not a size"),
        (["town", "--ttl", "5 fortnights"], "is not a duration"),
        (["town", "--rate", "50kB"], "is not a rate"),
        (["town", "--messages", "many"], "says no sizes"),
    ],
)
def test_a_mistake_ends_in_a_sentence(arguments, said, capsys):
    assert main(["sim", *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_sweep_gives_the_same_on_one_core_and_on_several():
    jobs = [job(router, seed=seed) for router in ("direct", "hedgerow") for seed in (1, 2)]
    counted = []
    assert sweep.sweep(jobs, counted.append, workers=2) == sweep.sweep(jobs, workers=1)
    assert counted == [1, 2, 3, 4]
    with pytest.raises(UsageError):
        sweep.sweep([job("direct", "nowhere.txt"), job("direct")], workers=2)
    assert run.run(jobs[0]).created > 0
