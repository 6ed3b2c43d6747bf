"""Which crises there are, by precedence.

What may enter: the order. How one is heard is `wishes`.
"""

PRECEDENCE = (
    "emergencia-911",
    "emergencia-suicidio",
    "emergencia-violencia",
    "emergencia-trata",
    "emergencia-menor",
    "emergencia-desierto",
    "emergencia-detencion",
    "emergencia-trabajo",
)
"""Entries that answer a crisis, the most pressing first."""
