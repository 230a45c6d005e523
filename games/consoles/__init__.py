"""How consoles talk: `codec` (bytes), `conversation` (who says what when), `meaning` (what it says), apart."""

from games.consoles.answer import Answer, PlayerRow
from games.consoles.console import Console
from games.consoles.errors import ConsoleError, ConsoleUnreachable, LoginRefused

__all__ = ["Answer", "Console", "ConsoleError", "ConsoleUnreachable", "LoginRefused", "PlayerRow"]
