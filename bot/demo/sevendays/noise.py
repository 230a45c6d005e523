"""Journal records that mean nothing, some of them shaped like something that does."""

from collections.abc import Callable
from itertools import cycle

from bot.demo.sevendays.journal import Journal

TRACE = (
    "EntityAlive.OnUpdateLive () [0x00021] in <d9bd2a3b2b5c4f7f9c1e2b3a4d5e6f70>:0",
    "World.TickEntity (Entity e, System.Single _partialTicks) [0x0001a] in <d9bd2a3b2b5c4f7f9c1e2b3a4d5e6f70>:0",
)
_KINDS: tuple[Callable[[Journal], None], ...] = (
    lambda journal: journal.info("AIDirector: scout horde zombie spawned 'zombieScreamer' (x 12.0, y 61.0, z -8.0)"),
    lambda journal: journal.warning("Chunk with key 8589934591 is out of bounds, skipping"),
    lambda journal: journal.exception(
        "NullReferenceException: Object reference not set to an instance of an object", TRACE
    ),
    lambda journal: journal.noise("Fallback handler could not load library libfmodstudio.so"),
    lambda journal: journal.info("Total of 3 in the game"),
    lambda journal: journal.error(
        "Loading block 'frameShapes:VariantHelper' failed\nTotal of 9 in the game\nWorld saved"
    ),
    lambda journal: journal.info("VehicleManager write #0, id 40012, vehicleBicycle, (1.0, 2.0, 3.0), chunk 0, 0"),
)
_turn = cycle(_KINDS)


def make(journal: Journal) -> None:
    """Write the next kind of noise."""
    next(_turn)(journal)
