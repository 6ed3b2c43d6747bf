"""The database: its engine, its migrations, and every SQL text of the project, once.

Reached only by `broadcasts`, `subscribers`, `outbox` and `inbound`.
"""

from bot.store.sqlite import Store, Transaction, Unusable

__all__ = ["Store", "Transaction", "Unusable"]
