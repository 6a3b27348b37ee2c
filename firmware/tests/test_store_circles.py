"""Circles are kept over restarts, bounded in number and time, and no damage makes one."""

from mutations import Random, change

from hedgenode.store.circles import MAX_CIRCLES, Circle, Circles
from hedgenode.store.ram import RamFiles

PATH = "/store/circles.cbor"
KEYS = bytes(range(32))


def circle(tag, until_s=None, spoken=None):
    return Circle(tag, [[3, KEYS], [4, KEYS]], spoken, until_s)


def facts(circles):
    return [(one.tag, one.epochs, one.spoken, one.until_s) for one in circles.all()]


def test_they_are_there_after_a_restart():
    files = RamFiles()
    known = Circles(files, PATH)
    known.put(circle(1, 500))
    known.put(circle(2, None, [9, KEYS]))
    assert facts(Circles(files, PATH)) == facts(known)
    assert [row[0] for row in facts(known)] == [1, 2]


def test_a_circle_replaces_the_one_of_its_tag_and_the_oldest_goes_first():
    known = Circles(RamFiles(), PATH)
    for tag in range(1, MAX_CIRCLES + 1):
        known.put(circle(tag))
    known.put(circle(1, 77))
    assert [(one.tag, one.until_s) for one in known.all()] == [(2, None), (3, None), (4, None), (1, 77)]
    known.put(circle(9))
    assert [one.tag for one in known.all()] == [3, 4, 1, 9]
    known.remove(4)
    known.remove(1000)
    assert [one.tag for one in known.all()] == [3, 1, 9]


def test_time_ends_them():
    files = RamFiles()
    known = Circles(files, PATH)
    known.put(circle(1, 100))
    known.put(circle(2))
    assert not known.expire(99)
    assert known.expire(100)
    assert not known.expire(10**9)
    assert [one.tag for one in Circles(files, PATH).all()] == [2]


def test_flash_that_refuses_changes_nothing():
    files = RamFiles()
    known = Circles(files, PATH)
    known.put(circle(1))

    def refuse(path, mode):
        raise OSError(28)

    files.open = refuse
    for attempt in (lambda: known.put(circle(2)), lambda: known.remove(1)):
        try:
            attempt()
        except OSError:
            pass
        else:
            raise AssertionError("it was not said")
    assert [one.tag for one in known.all()] == [1]


def test_damage_is_counted_and_makes_no_circle_that_cannot_be_used():
    files = RamFiles()
    known = Circles(files, PATH)
    known.put(circle(1, 500))
    known.put(circle(2, None, [9, KEYS]))
    whole = bytes(files.contents[PATH])
    random = Random(3)
    counted = 0
    for _ in range(1000):
        files.contents[PATH] = bytearray(change(random, whole, whole))
        read = Circles(files, PATH)
        counted += read.damaged
        for one in read.all():
            for number, keys in one.epochs + ([one.spoken] if one.spoken else []):
                assert number >= 0
                assert len(keys) == 32
    assert counted > 100
