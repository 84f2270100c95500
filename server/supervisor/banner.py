"""The first thing that a new user reads: where it is, with what key, and what to paste."""

from __future__ import annotations

__all__ = ["banner"]

from pathlib import Path

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
        *(f"    {line}" for line in (_demo(url) if demo else _registration(url))),
        "",
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
        f"curl {key} '{url}/api/v1/balances?account_id={DEMO_ACCOUNT}'",
        f"curl {key} '{url}/api/v1/positions?account_id={DEMO_ACCOUNT}'",
        f"curl {key} -H 'Content-Type: application/json' \\",
        f'     -d \'[{{"symbol": "SPY"}}, {{"symbol": "AAPL"}}]\' {url}/api/v1/quotes',
    ]


def _registration(url: str) -> list[str]:
    return [
        "curl -H 'Content-Type: application/json' -d @- " + f"{url}/api/v1/credentials <<'END'",
        '{"api_key": "a long random text", "client_secret": "...", "refresh_token": "..."}',
        "END",
    ]
