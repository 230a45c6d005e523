"""Profile pictures for the demo's people: a letter on a colour, drawn with what simcord's preview brings along."""

import io
from functools import cache
from pathlib import Path
from typing import Final

import simcord
from PIL import Image, ImageDraw, ImageFont

SIZE: Final = 128
FONT: Final = Path(simcord.__file__).parent / "preview/static/fonts/noto-sans-latin-v2.015.ttf"


@cache
def face(letter: str, colour: str) -> bytes:
    """A square PNG; Discord's pages cut the circle themselves. `colour` as `#rrggbb`."""
    image = Image.new("RGB", (SIZE, SIZE), colour)
    font = ImageFont.truetype(FONT, int(SIZE * 0.56))
    ImageDraw.Draw(image).text((SIZE / 2, SIZE / 2), letter, fill="#ffffff", font=font, anchor="mm", stroke_width=2)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
