"""Log records that mean nothing, some of them shaped like something that does."""

from collections.abc import Callable
from itertools import cycle

from bot.demo.sevendays.log import Log

TRACE = (
    "EntityAlive.OnUpdateLive () [0x00021] in <d9bd2a3b2b5c4f7f9c1e2b3a4d5e6f70>:0",
    "World.TickEntity (Entity e, System.Single _partialTicks) [0x0001a] in <d9bd2a3b2b5c4f7f9c1e2b3a4d5e6f70>:0",
)
_KINDS: tuple[Callable[[Log], None], ...] = (
    lambda log: log.info("AIDirector: scout horde zombie spawned 'zombieScreamer' (x 12.0, y 61.0, z -8.0)"),
    lambda log: log.warning("Chunk with key 8589934591 is out of bounds, skipping"),
    lambda log: log.exception("NullReferenceException: Object reference not set to an instance of an object", TRACE),
    lambda log: log.noise("Fallback handler could not load library libfmodstudio.so"),
    lambda log: log.info("Total of 3 in the game"),
    lambda log: log.error("Loading block 'frameShapes:VariantHelper' failed\nTotal of 9 in the game\nWorld saved"),
    lambda log: log.info("VehicleManager write #0, id 40012, vehicleBicycle, (1.0, 2.0, 3.0), chunk 0, 0"),
)
_turn = cycle(_KINDS)


def make(log: Log) -> None:
    """Write the next kind of noise."""
    next(_turn)(log)
