"""A place that somebody shared, as the text that is heard: RFC 5870's `geo:` URI.

What all vendors' locations have in common may enter.
"""

from __future__ import annotations


def geo_uri(latitude: float, longitude: float) -> str:
    """`geo:36.75,-119.77`: degrees of WGS 84 with four decimals at most, about ten metres.

    Returns:
        "" for what is nowhere on earth.
    """
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # noqa: PLR2004 - degrees; NaN is within neither
        return ""
    return f"geo:{_degrees(latitude)},{_degrees(longitude)}"


def _degrees(value: float) -> str:
    rounded = round(value, 4) or 0.0  # never "-0"
    return f"{rounded:.4f}".rstrip("0").rstrip(".")
