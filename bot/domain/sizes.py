"""Numbers of bytes as people read them."""


def size(count: float) -> str:
    """`812 bytes`, `3.4 MiB`."""
    if count < 1024:
        return f"{count:.0f} bytes"
    for unit in ("KiB", "MiB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} GiB"
