"""The product without Discord and without a game host: a playground in the browser and a tour in the terminal.

Both run the real bot, database, agent and game servers on a simulated Discord (`simcord`).
"""
