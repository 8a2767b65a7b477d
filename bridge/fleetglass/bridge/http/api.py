"""HTTP on the bridge's port, and the way to the WebSocket at `/ws`.

The page, `/healthz`, `/metrics`, `/api/hosts` and `/api/hosts/<id>`.
"""

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import psutil
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from fleetglass.bridge.health import Health
from fleetglass.bridge.http.client_identity import SECRET_HEADER, Caller, identify, is_local
from fleetglass.bridge.http.connections import Connections, HttpConnection
from fleetglass.bridge.loop_lag import LoopLag
from fleetglass.bridge.metrics import Metrics
from fleetglass.bridge.page.files import Asset
from fleetglass.bridge.settings import BridgeSettings
from fleetglass.bridge.viewers.access import Access
from fleetglass.bridge.viewers.viewer import ViewerCounts
from fleetglass.bridge.viewers.wrong_tokens import WrongTokens
from fleetglass.fleet.hosts import KnownFleet
from fleetglass.fleet.relay import Relay

CONTENT_SECURITY_POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_HTTPS_PORT = 443
_MAX_SHOWN = 100
_MAX_REFUSED_ORIGINS = 20
_SCRAPE = Response(0, "", Headers())  # stands for the one answer that takes a while

_log = logging.getLogger(__name__)


class Web:
    """Answers everything that is not a WebSocket."""

    def __init__(
        self,
        settings: BridgeSettings,
        relay: Relay,
        *,
        access: Access,
        assets: dict[str, Asset],
        connections: Connections,
        wrong_tokens: WrongTokens,
        counts: ViewerCounts,
        lag: LoopLag,
        health: Health,
        version: str,
    ) -> None:
        self._settings = settings
        self._relay = relay
        self._access = access
        self._assets = assets
        self._connections = connections
        self._wrong_tokens = wrong_tokens
        self._counts = counts
        self._lag = lag
        self._health = health
        self._metrics = Metrics(relay, counts, lag, version)
        self._version = version
        self._started = time.time()
        self._noticed_proxy = False
        self._refused_origins: set[str] = set()  # that were named in the log
        self._routes: dict[str, Callable[[], Any]] = {"/api/hosts": self._hosts}

    async def process_request(self, connection: HttpConnection, request: Request) -> Response | None:
        """Return the answer to a request, or None for one that may go on to the WebSocket."""
        try:
            return await self._process_request(connection, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs this answer alone
            self._relay.errors.count("answering a request", error)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "the bridge failed to answer; its log says why")

    async def _process_request(self, connection: HttpConnection, request: Request) -> Response | None:
        settings = self._settings
        try:
            caller = identify(connection.peer, request.headers, settings)
            token = _bearer(request.headers.get("Authorization"))
            origin = request.headers.get("Origin")
        except LookupError as error:
            return _plain(HTTPStatus.BAD_REQUEST, f"got several headers {error}, expected one")
        self._notice_proxy(connection, request.headers, caller)
        connection.caller = caller
        if not self._connections.identify(connection, caller):
            return _plain(HTTPStatus.TOO_MANY_REQUESTS, "expected fewer connections from your address")
        response = self._respond(request, caller, token, origin)
        if response is None:
            return None
        if response is _SCRAPE:
            response = await self._expose(request.headers)
        # The default port alone: the rule is for a name, whatever else is served there in clear.
        if settings.cert is not None and settings.port == _HTTPS_PORT:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.method == "HEAD":
            response.body = b""
        if caller.wrong_secret or (token and not self._access.admits(token, caller)):
            await asyncio.sleep(self._wrong_tokens.count(connection.address, time.monotonic()))
        return response

    def _respond(
        self, request: Request, caller: Caller, token: str | None, origin: str | None
    ) -> Response | None:
        if caller.wrong_secret:
            return _plain(
                HTTPStatus.FORBIDDEN, f"{SECRET_HEADER}: expected the secret that the bridge was given"
            )
        if not all(map(self._access.allows_host, caller.hosts)):
            return _plain(
                HTTPStatus.FORBIDDEN,
                "Host header: got a name this bridge does not know; expected its address, "
                "or a name given with --allowed-host",
            )
        path = _path(request.path)
        if path == "/ws":
            if not self._access.allows_origin(origin, caller.hosts[-1]):
                self._notice_origin(origin, caller.hosts[-1])
                return _plain(
                    HTTPStatus.FORBIDDEN,
                    "Origin header: expected the page's own, or one given with --allowed-origin",
                )
            return None
        if (asset := self._assets.get(path)) is not None:
            return _file(asset, request.headers)
        return self._api(path, admitted=self._access.admits(token, caller))

    def _api(self, path: str, *, admitted: bool) -> Response:
        if path == "/healthz":
            return self._healthz(admitted=admitted)
        if not admitted and (path in {"/metrics", *self._routes} or path.startswith("/api/")):
            response = _plain(HTTPStatus.UNAUTHORIZED, "expected Authorization: Bearer and the viewer token")
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        if path == "/metrics":
            return _SCRAPE
        if (route := self._routes.get(path)) is not None:
            return _json(route())
        host = self._relay.fleet.get(path.removeprefix("/api/hosts/"))
        if path.startswith("/api/hosts/") and host is not None:
            return _json(self._host(host.id))
        return _plain(HTTPStatus.NOT_FOUND, "there is nothing here")

    async def _expose(self, headers: Headers) -> Response:
        accept = ", ".join(headers.get_all("Accept"))
        content_type, encoding, body = await self._metrics.expose(accept, gzip=_accepts_gzip(headers))
        response = _response(HTTPStatus.OK, content_type, body)
        response.headers["Vary"] = "Accept, Accept-Encoding"
        if encoding is not None:
            response.headers["Content-Encoding"] = encoding
        return response

    def _notice_origin(self, origin: str | None, host: str | None) -> None:
        """Say once for each origin why its page stays empty: a browser hides it from the page."""
        told = str(origin)[:_MAX_SHOWN]
        if told in self._refused_origins or len(self._refused_origins) >= _MAX_REFUSED_ORIGINS:
            return
        self._refused_origins.add(told)
        _log.warning(
            "refused the WebSocket to a page from %r: Origin and Host differ, got Host %r. "
            "If a proxy serves that page, let it pass on Host unchanged (nginx: proxy_set_header Host "
            "$http_host; Apache: ProxyPreserveHost On); for a page of another site, give --allowed-origin",
            told,
            str(host)[:_MAX_SHOWN],
        )

    def _notice_proxy(self, connection: HttpConnection, headers: Headers, caller: Caller) -> None:
        """Say once what is probably not meant."""
        if self._noticed_proxy:
            return
        if caller.unproved_user:
            self._noticed_proxy = True
            _log.warning(
                "a request from %s names a user in %s without the proxy's secret: it needs the viewer token",
                connection.address,
                self._settings.proxy_user_header,
            )
        elif (
            self._settings.auth
            and self._access.token is None
            and is_local(connection.peer)
            and "X-Forwarded-For" in headers
        ):
            self._noticed_proxy = True
            _log.warning(
                "a proxy on this machine forwards requests, so everybody who reaches it can see the page; "
                "with trusted_proxy viewers need the viewer token"
            )

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
        relay = self._relay
        return {"state": relay.broker, "since": relay.broker_since, "sites_away": relay.fleet.sites_away}

    def _healthz(self, *, admitted: bool) -> Response:
        reason = self._health.reason
        if reason is not None:
            answer: dict[str, Any] = {"status": "degraded", "reason": reason}
        else:
            answer = {"status": "ok" if self._relay.broker == "connected" else "broker away"}
        if admitted:
            answer |= self._numbers()
        return _json(answer, HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE)

    def _numbers(self) -> dict[str, Any]:
        relay = self._relay
        return {
            "version": self._version,
            "time": time.time(),
            "uptime_seconds": round(time.time() - self._started, 1),
            "cpu_seconds": round(time.process_time(), 3),
            "resident_bytes": psutil.Process().memory_info().rss,
            "broker": self._broker(),
            "hosts": Counter(host.state for host in relay.fleet),
            "watched_hosts": len(relay.fanout.watched_in_detail),
            "viewers": len(relay.fanout),
            "viewers_total": self._counts.connected,
            "viewers_refused": self._counts.refused,
            "viewers_closed_slow": self._counts.slow_closed,
            "refused": self._connections.refused,
            "wrong_tokens": self._wrong_tokens.total,
            "messages_received": relay.received,
            "messages_rejected": relay.rejections.total,
            "messages_of_refused_hosts": relay.fleet.refused,
            "messages_waiting": len(relay.inbox),
            "messages_dropped": relay.inbox.dropped,
            "unexpected_errors": relay.errors.total,
            "frames": relay.fanout.frames,
            "frames_replaced": relay.fanout.replaced,
            "event_loop_lag_seconds": round(self._lag.worst, 4),
            "delivery": _delivery(relay.fleet),
            "history_payloads": relay.history.payloads,
            "history_bytes": relay.history.used_bytes,
            "history_budget_bytes": relay.history.budget_bytes,
        }


def _delivery(fleet: KnownFleet) -> dict[str, Any]:
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


def _path(target: str) -> str:
    try:
        return unquote(urlsplit(target).path)
    except ValueError:  # such as `//[`
        return ""


def _file(asset: Asset, request_headers: Headers) -> Response:
    if asset.is_known(",".join(request_headers.get_all("If-None-Match"))):
        response = _response(HTTPStatus.NOT_MODIFIED, asset.content_type, b"")
        del response.headers["Content-Length"]
    elif asset.compressed is not None and _accepts_gzip(request_headers):
        response = _response(HTTPStatus.OK, asset.content_type, asset.compressed)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = _response(HTTPStatus.OK, asset.content_type, asset.body)
    del response.headers["Cache-Control"]
    response.headers["Cache-Control"] = asset.cache_control
    response.headers["ETag"] = asset.etag
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _accepts_gzip(headers: Headers) -> bool:
    for entry in ",".join(headers.get_all("Accept-Encoding")).lower().split(","):
        coding, _, weight = entry.partition(";")
        if coding.strip() == "gzip":
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None
    return False


def _json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return _response(status, "application/json", msgspec.json.encode(value))


def _plain(status: HTTPStatus, text: str) -> Response:
    return _response(status, "text/plain; charset=utf-8", text.encode() + b"\n")


def _response(status: HTTPStatus, content_type: str, body: bytes) -> Response:
    headers = Headers()
    headers["Date"] = formatdate(usegmt=True)
    headers["Connection"] = "close"
    headers["Content-Type"] = content_type
    headers["Content-Length"] = str(len(body))
    headers["Cache-Control"] = "no-store"
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    return Response(status.value, status.phrase, headers, body)


def _bearer(header: str | None) -> str | None:
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
