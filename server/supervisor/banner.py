"""The first thing that a new user reads: where it is, with what key, and what to paste."""

from __future__ import annotations

__all__ = ["banner"]

from pathlib import Path

from server.edge.mcp import offered_over_http
from server.registration import anybody_may_register
from server.settings import Settings

DEMO_KEY = "demo-key"
DEMO_ACCOUNT = "5WT00001"

RULE = "─" * 78


def banner(settings: Settings, *, url: str, grpc: str, logs: Path) -> str:
    """Returns the words for a gateway that is ready at `url`; the last line names it again."""
    demo = settings.broker == "simulator"
    facts = {
        "REST, SSE, gRPC, gRPC-Web": url,
        "gRPC without the edge": grpc,
        **({"API key": DEMO_KEY, "account": DEMO_ACCOUNT} if demo else {}),
        "docs": f"{url}/docs",
        "data": str(settings.data_dir.absolute()),
        "logs": str(logs),
    }
    width = max(map(len, facts))
    lines = [
        "",
        RULE,
        f"  tasty gateway · {_broker(settings)}",
        RULE,
        *(f"  {name:<{width}}   {value}" for name, value in facts.items()),
        "",
        "  Try it:" if demo else "  Register your tastytrade credentials, then use your own key:",
        "",
        *(_demo(url) if demo else _registration(settings, url)),
        "",
        *(f"  Mind: {risk}" for risk in _risks(settings)),
        "  Ctrl-C stops everything.",
        RULE,
        f"ready: {url}",
    ]
    return "\n".join(lines)


def _broker(settings: Settings) -> str:
    return {
        "simulator": "simulated broker: no account, price or order here is real",
        "sandbox": "tastytrade's certification environment",
        "production": "tastytrade, with real money",
    }[settings.broker]


def _demo(url: str) -> list[str]:
    key = f"-H 'X-API-Key: {DEMO_KEY}'"
    return [
        f"    curl {key} '{url}/api/v1/balances?account_id={DEMO_ACCOUNT}'",
        f"    curl {key} '{url}/api/v1/positions?account_id={DEMO_ACCOUNT}'",
        f"    curl {key} -H 'Content-Type: application/json' \\",
        f'         -d \'[{{"symbol": "SPY"}}, {{"symbol": "AAPL"}}]\' {url}/api/v1/quotes',
    ]


def _registration(settings: Settings, url: str) -> list[str]:
    admin = " -H 'X-Admin-Key: ...'" if settings.admin_key.get_secret_value() else ""
    # From a here-document, so that no secret is an argument; at the left edge, where the shell
    # looks for its end.
    return [
        f"curl -H 'Content-Type: application/json'{admin} -d @- {url}/api/v1/credentials <<'END'",
        '{"api_key": "a-long-random-text", "client_secret": "...", "refresh_token": "..."}',
        "END",
    ]


def _risks(settings: Settings) -> list[str]:
    """What a person who has real money behind this, or lets others in, should know."""
    risks = []
    if settings.broker != "simulator" and offered_over_http(settings):
        risks.append("/mcp stands on a filter that Envoy calls unfinished (TASTY_MCP=off).")
    if settings.host in ("127.0.0.1", "::1", "localhost"):  # nobody else gets in
        return risks

    if anybody_may_register(settings):
        risks.append("anybody who reaches this port may register (TASTY_ADMIN_KEY).")
    if settings.tls_certificate is None:
        risks.append("API keys travel in clear, unless a proxy in front encrypts (TASTY_TLS_KEY).")
    return risks
