"""What the vendors answer, shaped and sized like their own: a client's work is also to read them.

Only the standard library: whoever stands at the vendors' end may read this.
"""

from __future__ import annotations

from typing import Any

_TEXT = """\
La Semana de Salud empieza el lunes. Es para ti y para toda tu familia, con papeles o sin ellos.

• Exámenes para saber cómo estás.
• Vacunas para grandes y chicos.
• Consejos para cuidarte mejor.

No necesitas cita. Llega temprano y trae una identificación, si la tienes. Nadie debe cobrarte.
"""
_BOT = {"id": 5000000001, "is_bot": True, "first_name": "Aviso", "username": "aviso_bot"}
_MESSAGE = f"/2010-04-01/Accounts/AC{'0' * 32}/Messages/SM{'0' * 32}"

ANSWERS: dict[str, dict[str, Any]] = {
    "telegram": {
        "ok": True,
        "result": {
            "message_id": 123456,
            "from": _BOT,
            "chat": {"id": 9000000001, "first_name": "Ana", "type": "private"},
            "date": 1795000000,
            "text": _TEXT,
            "entities": [{"offset": 0, "length": 26, "type": "bold"}],
            "link_preview_options": {"is_disabled": True},
        },
    },
    "twilio": {
        "account_sid": "AC" + "0" * 32,
        "api_version": "2010-04-01",
        "body": _TEXT,
        "date_created": "Sun, 22 Nov 2026 18:00:00 +0000",
        "date_sent": None,
        "date_updated": "Sun, 22 Nov 2026 18:00:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": "+12025550100",
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": "SM" + "0" * 32,
        "status": "queued",
        "subresource_uris": {"media": f"{_MESSAGE}/Media.json"},
        "to": "+12025550101",
        "uri": f"{_MESSAGE}.json",
    },
    "me": {"ok": True, "result": _BOT},
    "yes": {"ok": True, "result": True},
}
"""Of `sendMessage`, of `Messages.json`, of `getMe`, and of anything else."""
