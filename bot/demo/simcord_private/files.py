"""simcord's page, with the few changes that make it one channel of a Discord with several."""
# pyright: reportPrivateUsage=false
# Private use is what this package is for; nothing else in the project may do it.

import re
from pathlib import Path
from typing import Final

from aiohttp import web
from simcord.preview import _server as preview_server
from simcord.preview._server import PreviewServer

VIEWER: Final = 'new URLSearchParams(location.search).get("as")'
KEY: Final = "autocompleteKey(currentDraft(), option.name, current)"
ASK_ONCE: Final = f"if (!autocompleteResults.has({KEY})) queryAutocomplete(option, current);"
AGEING: Final = (
    'message.poll ? state.profile.presentationTime : JSON.stringify(message).includes(\'"style":"R"\')'
    ' ? Math.floor(Date.parse(state.profile.presentationTime) / 15000) : ""'
)
SEND: Final = 'document.getElementById("send-message")'
LOADING, LOOKING, NOTHING = 'autocomplete.state === "loading"', '"Looking"', '"No options match"'

#: (file, pattern, replacement, how often it must match): a surprise is an error at start, not a broken page.
CHANGES: Final = (
    ("index.html", r'(href|src)="/(preview\.css|app\.js)"', r'\1="/simcord/\2"', 2),
    ("index.html", r"</head>", '<link rel="stylesheet" href="/page/embed.css"></head>', 1),
    ("index.html", r"<title>SimCord Preview</title>", "<title>Gamekeeper playground</title>", 1),
    ("preview.css", r'url\("/fonts/', 'url("/simcord/fonts/', 8),
    ("app.js", r'request\("/api/pages", "POST", \{\}', f'request("api/pages", "POST", {{ viewer_id: {VIEWER} }}', 1),
    ("app.js", r'(["`])/api/', r"\1api/", 4),
    ("app.js", r'"/backend-diagnostics\.json"', '"/simcord/backend-diagnostics.json"', 1),
    ("assets.js", r"`/api/", "`api/", 1),
    ("transport.js", r'"/api/', '"api/', 2),
    ("media.js", r'"/vendor/', '"/simcord/vendor/', 1),
    # "3 minutes ago" grows older, although nothing else in the message has changed.
    ("timeline.js", r'message\.poll \? state\.profile\.presentationTime : ""', AGEING, 1),
    # As in Discord: suggestions come as soon as an option has the focus, a choice is shown by its name, Enter runs.
    ("commands.js", r'const current = String\(field\.value \|\| ""\);', rf"\g<0> {ASK_ONCE}", 1),
    ("commands.js", r'String\(value\?\.raw \?\? ""\);', 'String(value?.label ?? value?.raw ?? "");', 1),
    ("commands.js", r"renderCompose\(\{ focus: Boolean\(next\) \}\);", rf"\g<0> if (!next) {SEND}.focus();", 1),
    ("commands.js", r"drafts\.focus\(null\); renderCompose\(\{ focus: true \}\);", rf"\g<0> {SEND}.focus();", 1),
    ("commands.js", r"Math\.min\(24, Math\.max\(2,", "Math.min(48, Math.max(2,", 1),
    ("commands.js", r': "No options match"', f": {LOADING} ? {LOOKING} : {NOTHING}", 1),
)


class StaticFiles:
    """simcord's page, changed so that it can live below a path, start as a given viewer, and wear our style sheet."""

    def __init__(self) -> None:
        self.root: Final = Path(preview_server.__file__).with_name("static")
        self.names: Final = {name for name in PreviewServer._STATIC_FILES.values() if name != "protocol.schema.json"}
        self.changed: Final = self._changed()

    def _changed(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for name, pattern, replacement, expected in CHANGES:
            text = texts.get(name) or (self.root / name).read_text("utf-8")
            texts[name], count = re.subn(pattern, replacement, text)
            if count != expected:
                raise RuntimeError(f"simcord's page has changed: {pattern!r} in {name} matches {count} times.")
        return texts

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One file of the page. Fonts are 30 MB together, so the browser may keep them."""
        name = request.match_info["name"]
        if name not in self.names:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "max-age=86400" if name.startswith("fonts/") else "no-cache"}
        if name in self.changed:
            kind = "text/css" if name.endswith(".css") else "application/javascript"
            return web.Response(text=self.changed[name], content_type=kind, headers=headers)
        return web.FileResponse(self.root / name, headers=headers)

    @property
    def page(self) -> str:
        """The document of one channel."""
        return self.changed["index.html"]
