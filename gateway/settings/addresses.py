"""Where the model server listens, as the setting says it and as gRPC wants it."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from gateway.errors import SettingsError

FORMS = "127.0.0.1:8500, model-server.internal:8500, unix:/run/model-server.sock or 10.0.0.1:8500,10.0.0.2:8500"


def grpc_target(model_server: str) -> str:
    """The target that gRPC resolves: one `host:port`, one `unix:/path`, or several `ip:port` with commas between.

    Raises:
        SettingsError: it is none of these.
    """
    if model_server.startswith("unix:"):
        if not model_server.startswith("unix:/") or "," in model_server:
            raise _error(model_server, "names no absolute path of one socket")
        return model_server
    parts = [each.strip() for each in model_server.split(",")]
    for part in parts:
        host, _, port = part.rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
            raise _error(model_server, f"has {part!r}, which is not host:port")
    if len(parts) == 1:
        return f"dns:///{parts[0]}"
    kinds = {_kind(part) for part in parts}
    if len(kinds) > 1 or None in kinds:
        # gRPC's list of addresses is of one family, and it resolves no names in it.
        raise _error(model_server, "is a list, so it must hold ip:port only, all IPv4 or all IPv6")
    scheme = "ipv4" if kinds == {IPv4Address} else "ipv6"
    return f"{scheme}:{','.join(parts)}"


def _kind(part: str) -> type[IPv4Address | IPv6Address] | None:
    try:
        return type(ip_address(part.rpartition(":")[0].removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def _error(model_server: str, what: str) -> SettingsError:
    return SettingsError(f"GATEWAY_MODEL_SERVER={model_server} {what}; use one like {FORMS}")
