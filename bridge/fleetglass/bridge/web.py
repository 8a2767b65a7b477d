"""HTTP on the bridge's port, and the way to the WebSocket at `/ws`.

The page, `/healthz`, `/metrics`, `/api/hosts` and `/api/hosts/<id>`.
"""

import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import psutil
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from fleetglass.bridge.access import Access
from fleetglass.bridge.fleet import Fleet
from fleetglass.bridge.lag import LoopLag
from fleetglass.bridge.metrics import Metrics
from fleetglass.bridge.page import Asset
from fleetglass.bridge.relay import Relay
from fleetglass.bridge.viewer import ViewerCounts

CONTENT_SECURITY_POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_SCRAPE = Response(0, "", Headers())  # stands for the one answer that takes a while


class Web:
    """Answers everything that is not a WebSocket."""

    def __init__(
        self,
        relay: Relay,
        access: Access,
        assets: dict[str, Asset],
        *,
        counts: ViewerCounts,
        lag: LoopLag,
        version: str,
    ) -> None:
        self._relay = relay
        self._access = access
        self._assets = assets
        self._counts = counts
        self._lag = lag
        self._metrics = Metrics(relay, counts, lag, version)
        self._version = version
        self._started = time.time()
        self._routes: dict[str, Callable[[], Any]] = {"/healthz": self._health, "/api/hosts": self._hosts}

    async def process_request(self, _connection: ServerConnection, request: Request) -> Response | None:
        """Return the answer to a request, or None for one that may go on to the WebSocket."""
        response = self._respond(request)
        if response is _SCRAPE:
            response = await self._expose(request.headers)
        if response is not None and request.method == "HEAD":
            response.body = b""
        return response

    def _respond(self, request: Request) -> Response | None:
        try:
            host = request.headers.get("Host")
            origin = request.headers.get("Origin")
        except LookupError:  # several of one header
            return _plain(HTTPStatus.BAD_REQUEST, "got several Host or Origin headers, expected one")
        if not self._access.allows_host(host):
            return _plain(
                HTTPStatus.FORBIDDEN,
                "Host header: got a name this bridge does not know; expected its address, "
                "or a name given with --allowed-host",
            )
        path = unquote(urlsplit(request.path).path)
        if path == "/ws":
            if not self._access.allows_origin(origin, host):
                return _plain(
                    HTTPStatus.FORBIDDEN,
                    "Origin header: expected the page's own, or one given with --allowed-origin",
                )
            return None
        if request.method not in ("GET", "HEAD"):
            response = _plain(HTTPStatus.METHOD_NOT_ALLOWED, "expected GET or HEAD")
            response.headers["Allow"] = "GET, HEAD"
            return response
        if (asset := self._assets.get(path)) is not None:
            return _file(asset, request.headers)
        return self._api(path, request.headers)

    def _api(self, path: str, headers: Headers) -> Response:
        if (path == "/metrics" or path.startswith("/api/")) and not self._access.admits(_bearer(headers)):
            response = _plain(HTTPStatus.UNAUTHORIZED, "expected Authorization: Bearer and the viewer token")
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        if path == "/metrics":
            return _SCRAPE
        if (route := self._routes.get(path)) is not None:
            return _response(HTTPStatus.OK, _JSON, msgspec.json.encode(route()))
        host = self._relay.fleet.get(path.removeprefix("/api/hosts/"))
        if path.startswith("/api/hosts/") and host is not None:
            return _response(HTTPStatus.OK, _JSON, msgspec.json.encode(self._host(host.id)))
        return _plain(HTTPStatus.NOT_FOUND, "there is nothing here")

    async def _expose(self, headers: Headers) -> Response:
        accept = ", ".join(headers.get_all("Accept"))
        accept_encoding = ", ".join(headers.get_all("Accept-Encoding"))
        content_type, encoding, body = await self._metrics.expose(accept, accept_encoding)
        response = _response(HTTPStatus.OK, content_type, body)
        response.headers["Vary"] = "Accept, Accept-Encoding"
        if encoding is not None:
            response.headers["Content-Encoding"] = encoding
        return response

    def _hosts(self) -> dict[str, Any]:
        return {"time": time.time(), "broker": self._broker(), "hosts": self._relay.entries()}

    def _host(self, host: str) -> dict[str, Any]:
        live = {group: msgspec.Raw(payload) for group, payload in self._relay.history.last(host).items()}
        live.pop("pulse", None)
        answer = {
            "time": time.time(),
            "broker": self._broker(),
            "host": self._relay.entry(host),
            "live": live,
        }
        record = self._relay.fleet.get(host)
        if record is not None and (delivery := record.arrivals.told()) is not None:
            answer["delivery"] = delivery
        return answer

    def _broker(self) -> dict[str, Any]:
        return {"state": self._relay.broker, "since": self._relay.broker_since}

    def _health(self) -> dict[str, Any]:
        relay = self._relay
        return {
            "status": "ok" if relay.broker == "connected" else "broker away",
            "version": self._version,
            "time": time.time(),
            "uptime_seconds": round(time.time() - self._started, 1),
            "cpu_seconds": round(time.process_time(), 3),
            "resident_bytes": psutil.Process().memory_info().rss,
            "broker": self._broker(),
            "hosts": Counter(host.state for host in relay.fleet),
            "watched_hosts": len(relay.watching),
            "viewers": len(relay.fanout),
            "viewers_total": self._counts.connected,
            "viewers_refused": self._counts.refused,
            "viewers_closed_slow": self._counts.slow_closed,
            "messages_received": relay.received,
            "messages_rejected": relay.rejections.total,
            "frames": relay.fanout.frames,
            "event_loop_lag_seconds": round(self._lag.worst, 4),
            "delivery": _delivery(relay.fleet),
            "history_payloads": relay.history.payloads,
            "history_bytes": relay.history.used_bytes,
            "history_budget_bytes": relay.history.budget_bytes,
        }


def _delivery(fleet: Fleet) -> dict[str, Any]:
    """Return the counts of all hosts added up, and the latency that half and nearly all stayed within."""
    all_arrivals = [host.arrivals for host in fleet]
    told: dict[str, Any] = {
        "received_total": sum(one.received for one in all_arrivals),
        "lost_total": sum(one.lost for one in all_arrivals),
        "late_total": sum(one.late for one in all_arrivals),
        "duplicate_total": sum(one.duplicates for one in all_arrivals),
        "backfilled_total": sum(one.backfilled for one in all_arrivals),
    }
    for name, share in (("latency_p50_seconds", 0.5), ("latency_p99_seconds", 0.99)):
        if (seconds := fleet.latencies.quantile(share)) is not None:
            told[name] = seconds
    return told


def _file(asset: Asset, request_headers: Headers) -> Response:
    if asset.etag in (request_headers.get("If-None-Match") or ""):
        response = _response(HTTPStatus.NOT_MODIFIED, asset.content_type, b"")
    elif asset.compressed is not None and "gzip" in (request_headers.get("Accept-Encoding") or ""):
        response = _response(HTTPStatus.OK, asset.content_type, asset.compressed)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = _response(HTTPStatus.OK, asset.content_type, asset.body)
    response.headers["ETag"] = asset.etag
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _plain(status: HTTPStatus, text: str) -> Response:
    return _response(status, _TEXT, text.encode() + b"\n")


def _response(status: HTTPStatus, content_type: str, body: bytes) -> Response:
    headers = Headers()
    headers["Date"] = formatdate(usegmt=True)
    headers["Connection"] = "close"
    headers["Content-Type"] = content_type
    headers["Content-Length"] = str(len(body))
    headers["Cache-Control"] = "no-cache"
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    return Response(status.value, status.phrase, headers, body)


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = (headers.get("Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
