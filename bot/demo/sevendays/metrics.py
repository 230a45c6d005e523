"""The line of numbers that the server writes every half minute."""

from bot.demo.sevendays.server import Server


def metrics_line(server: Server) -> str:
    """`Time: 5.64m FPS: …`: minutes since the start, frames a second, memory in MB, counts of things in the world."""
    players, rng = len(server.world.players), server.rng
    zombies = rng.randint(0, 8) * players
    heap = 1199.0 + rng.uniform(0, 60)
    return (
        f"Time: {server.journal.uptime() / 60:.2f}m FPS: {rng.uniform(18.5, 20):.2f} Heap: {heap:.1f}MB Max: 1265.5MB "
        f"Chunks: {9 + 81 * players} CGO: {81 * players} Ply: {players} Zom: {zombies} "
        f"Ent: {players + zombies} ({players + zombies}) Items: {rng.randint(0, 4)} CO: {players} "
        f"RSS: {heap + 489:.1f}MB"
    )
