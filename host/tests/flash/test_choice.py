"""Which image a board gets: its own, by its own word or its owner's; a wrong one is refused in words."""

import made_images
import pytest

from hedgerow.errors import RefusedError, UsageError
from hedgerow.flash import image
from hedgerow.fleet import boards
from hedgerow.plans.flash_choice import Seen, button, choose, is_pico
from hedgerow.session import Answering

S3, C3, PICO, PICO_W = (
    boards.load(f"{name}") for name in ("ESP32_GENERIC_S3", "ESP32_GENERIC_C3", "RPI_PICO", "RPI_PICO_W")
)


def store(*data: bytes):
    return {f"{number}.bin": image.read(one) for number, one in enumerate(data)}


ALL = store(
    *(made_images.esp(mcu) for mcu in made_images.CHIPS),
    made_images.uf2(machine=made_images.PICO),
    made_images.uf2(machine=made_images.PICO_W),
)
NOBODY = Seen("port")


def test_the_chip_decides():
    for mcu, machine in made_images.MACHINES.items():
        found, board = choose(ALL, None, NOBODY, mcu, 4 << 20, "port")
        assert (found.machine, board.mcu) == (machine, mcu)


def test_two_picos_look_alike_so_a_person_says_which():
    with pytest.raises(UsageError, match="RPI_PICO, RPI_PICO_W") as error:
        choose(ALL, None, NOBODY, "RP2040", None, "port")
    assert "--board" in error.value.next_step
    assert choose(ALL, PICO_W, NOBODY, "RP2040", None, "port")[0].machine == made_images.PICO_W


def test_what_runs_there_tells_which():
    seen = Seen("port", Answering.PROMPT, made_images.PICO_W, PICO_W)
    assert choose(ALL, None, seen, "RP2040", None, "port")[0].machine == made_images.PICO_W


def test_a_persons_word_outweighs_what_was_flashed_by_mistake():
    seen = Seen("port", Answering.PROMPT, made_images.PICO, PICO)
    assert choose(ALL, PICO_W, seen, "RP2040", None, "port")[0].machine == made_images.PICO_W


def test_a_build_for_more_memory_is_kept_where_it_runs_already():
    octal = "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3"
    images = store(made_images.esp("ESP32-S3"), made_images.esp("ESP32-S3", machine=octal))
    assert choose(images, None, NOBODY, "ESP32-S3", 8 << 20, "port")[0].machine == made_images.MACHINES["ESP32-S3"]
    seen = Seen("port", Answering.PROMPT, octal, S3)
    assert choose(images, None, seen, "ESP32-S3", 8 << 20, "port")[0].machine == octal


@pytest.mark.parametrize(
    ("images", "board", "mcu", "flash_mib", "told"),
    [
        (ALL, C3, "ESP32-S3", 4, "this board has an ESP32-S3, and ESP32_GENERIC_C3 has an ESP32-C3"),
        (store(made_images.esp("ESP32-C3")), None, "ESP32-S3", 4, "the image is for ESP32-C3"),
        (store(made_images.esp("ESP32-S3", flash_code=3)), None, "ESP32-S3", 4, "needs 8 MiB of flash"),
        (store(made_images.esp("ESP32-S3", "1.20.0")), None, "ESP32-S3", 4, "needs 1.22 or later"),
        (
            store(made_images.esp("ESP32-S3", machine="X board with ESP32S3")),
            S3,
            "ESP32-S3",
            4,
            "this is ESP32_GENERIC_S3",
        ),
        (store(made_images.esp(), made_images.uf2()), None, "ESP32-S3", 4, "no image for ESP32-S3 is in the store"),
        (
            store(made_images.esp("ESP32-S3", flash_code=3), made_images.esp()),
            None,
            "ESP32-S3",
            4,
            "needs 8 MiB of flash",
        ),
        (store(made_images.uf2(size=900_000)), PICO, "RP2040", None, "RPI_PICO has 0.6 MiB for it"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(images, board, mcu, flash_mib, told):
    with pytest.raises(RefusedError) as error:
        choose(images, board, NOBODY, mcu, flash_mib << 20 if flash_mib else None, "port")
    assert told in error.value.what
    assert error.value.state == "Nothing was changed"
    assert error.value.next_step


def test_the_way_in_and_the_button_are_those_of_the_board():
    assert is_pico(NOBODY, PICO)
    assert not is_pico(NOBODY, S3)
    assert is_pico(Seen("port", guesses=(PICO, PICO_W)), None)
    assert not is_pico(NOBODY, None)
    assert "BOOTSEL" in button(None, Seen("port", guesses=(PICO,)))
    assert "BOOT" in button(S3, NOBODY)
    assert button(None, NOBODY) == ""
