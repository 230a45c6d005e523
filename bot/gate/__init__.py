"""The one door: every command, button, select, modal and autocomplete enters here.

A handler never sees the Interaction. It gets a `Call` and gives back a `Reply`, so it can neither answer, nor defer,
nor skip its permission and its audit row.
"""

from bot.gate.calls import Call, Reply, Show, Spec
from bot.gate.doors import action, gate, routes, suggest, ungated
from bot.gate.entering import Gate, Tree

__all__ = ["Call", "Gate", "Reply", "Show", "Spec", "Tree", "action", "gate", "routes", "suggest", "ungated"]
