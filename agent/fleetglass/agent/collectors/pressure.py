from msgspec import UNSET, UnsetType

from fleetglass.wire.payloads import Pressure


def pressure_message(shares: dict[str, float] | None) -> Pressure | UnsetType:
    """Return shares in percent by `some_10s` and the like as a message."""
    if not shares:
        return UNSET
    return Pressure(
        **{f"{name}_percent": round(share, 1) for name, share in shares.items() if name in _NAMES}
    )


_NAMES = frozenset(field.removesuffix("_percent") for field in Pressure.__struct_fields__)
