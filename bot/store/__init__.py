"""The database: its engine, its migrations, and every SQL text of the project, once.

Reached only by `broadcasts`, `subscribers`, `outbox` and `inbound`.
"""

from bot.store.faults import Unusable
from bot.store.sqlite import Row, Store, Transaction

__all__ = ["Row", "Store", "Transaction", "Unusable"]
