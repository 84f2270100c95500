"""What the gateway is measured against: FastAPI on uvicorn, over the same SDK, without our stack.

    python -m tests.bench.fastapi_baseline PORT SIMULATOR_URL KEYS

It answers the guide's reads the way a careful developer would write them at first: a session and a
warm streamer per key (not one per request), the latest event of each symbol in a dictionary, models
of the SDK turned into JSON by FastAPI, tables by tabulate, an option chain kept for the day. Keys
are looked up by their keyed digest, as ours are. It has no limits, no deadlines, no streams.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from tabulate import tabulate
from tastytrade import Account, DXLinkStreamer, Session
from tastytrade.dxfeed import Greeks, Quote, Trade
from tastytrade.instruments import Option, get_option_chain
from tastytrade.metrics import get_market_metrics
from tastytrade.order import InstrumentType

from tests.bench.processes import key_of

API_HOST = "api.tastyworks.com"
PEPPER = b"a secret of the server"
NEW_YORK = ZoneInfo("America/New_York")
EVENTS = (Quote, Trade, Greeks)


class Moved(httpx2.AsyncHTTPTransport):
    """Sends what is meant for the broker to the simulator."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = httpx2.URL(base)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host == API_HOST:
            request.url = request.url.copy_with(
                scheme=self._base.scheme, host=self._base.host, port=self._base.port
            )
            request.headers["host"] = self._base.netloc.decode()
        return await super().handle_async_request(request)

    async def aclose(self) -> None:
        pass  # a streamer's client must not close what the session still uses


class Tenant:
    """One customer: a session, a streamer, and the latest of what it subscribed to."""

    def __init__(self, key: str, simulator: str) -> None:
        self.session = Session("bench", key, transport=Moved(simulator), timeout=30)
        self.latest: dict[tuple[type, str], Any] = {}
        self.chains: dict[str, Any] = {}
        self.accounts: dict[str, Account] = {}
        self._streamer: DXLinkStreamer | None = None
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def event(self, kind: type, symbol: str) -> Any:
        """Returns the latest event, waiting for the first one."""
        key = (kind, symbol)
        if key not in self.latest:
            async with self._opening:
                if self._streamer is None:
                    self._streamer = await self._stack.enter_async_context(
                        DXLinkStreamer(self.session)
                    )
                    for each in EVENTS:
                        task = asyncio.create_task(self._listen(self._streamer, each))
                        self._stack.callback(task.cancel)
            await self._streamer.subscribe(kind, [symbol])
            async with asyncio.timeout(10):
                while key not in self.latest:  # noqa: ASYNC110 - once a symbol
                    await asyncio.sleep(0.01)
        return self.latest[key]

    async def account(self, number: str) -> Account:
        if not self.accounts:
            found = await Account.get(self.session)
            self.accounts = {each.account_number: each for each in found}
        try:
            return self.accounts[number] if number else next(iter(self.accounts.values()))
        except KeyError:
            raise HTTPException(404, f"Account '{number}' not found.") from None

    async def close(self) -> None:
        await self._stack.aclose()

    async def _listen(self, streamer: DXLinkStreamer, kind: type) -> None:
        async for event in streamer.listen(kind):
            self.latest[kind, event.event_symbol] = event


class Instrument(BaseModel):
    symbol: str
    option_type: str | None = None
    strike_price: float | None = None
    expiration_date: str | None = None


def digest(key: str) -> bytes:
    return hmac.digest(PEPPER, key.encode(), hashlib.sha256)


def text(value: Any) -> str | None:
    return None if value is None else str(value)


def application(simulator: str, keys: int) -> FastAPI:
    tenants = {digest(key_of(n)): Tenant(key_of(n), simulator) for n in range(keys)}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for tenant in tenants.values():
            await tenant.close()

    app = FastAPI(lifespan=lifespan)

    async def caller(x_api_key: str = Header("")) -> Tenant:
        tenant = tenants.get(digest(x_api_key))
        if tenant is None:
            raise HTTPException(401, "Invalid API key. No credentials configured for this key.")
        return tenant

    @app.get("/health")
    async def health() -> Any:
        return {"status": "healthy", "service": "tasty-agent-http"}

    @app.get("/api/v1/current-time")
    async def current_time(_: Tenant = Depends(caller)) -> Any:  # noqa: B008 - FastAPI's way
        return {"current_time_nyc": datetime.now(NEW_YORK).isoformat(timespec="seconds")}

    @app.post("/api/v1/quotes")
    async def quotes(
        instruments: list[Instrument],
        tenant: Tenant = Depends(caller),  # noqa: B008 - FastAPI's way
    ) -> Any:
        rows = []
        for each in instruments:
            quote = await tenant.event(Quote, each.symbol)
            trade = await tenant.event(Trade, each.symbol)
            rows.append(
                {
                    "event_symbol": each.symbol,
                    "bid_price": text(quote.bid_price),
                    "ask_price": text(quote.ask_price),
                    "last_price": text(trade.price),
                    "bid_size": float(quote.bid_size or 0),
                    "ask_size": float(quote.ask_size or 0),
                    "mid_price": text((quote.bid_price + quote.ask_price) / 2),
                    "bid_time": quote.bid_time,
                    "ask_time": quote.ask_time,
                }
            )
        return {"quotes": rows, "table": table(rows), "claude_analysis": ""}

    @app.get("/api/v1/positions")
    async def positions(
        account_id: str = "",
        tenant: Tenant = Depends(caller),  # noqa: B008 - FastAPI's way
    ) -> Any:
        account = await tenant.account(account_id)
        rows = []
        for each in await account.get_positions(tenant.session, include_marks=True):
            row = {name: text(value) for name, value in each.model_dump().items()}
            is_option = each.instrument_type is InstrumentType.EQUITY_OPTION
            symbol = Option.occ_to_streamer_symbol(each.symbol) if is_option else each.symbol
            row["streamer_symbol"] = symbol
            if is_option:
                greeks = await tenant.event(Greeks, symbol)
                for name in ("delta", "gamma", "theta", "vega"):
                    row[name] = text(getattr(greeks, name))
            if is_option or each.instrument_type is InstrumentType.EQUITY:
                quote = await tenant.event(Quote, symbol)
                mid = (quote.bid_price + quote.ask_price) / 2
                sign = 1 if each.quantity_direction == "Long" else -1
                gain = (mid - each.average_open_price) * each.quantity * each.multiplier * sign
                row |= {"current_price": text(mid), "unrealized_pnl": text(gain)}
            rows.append(row)
        return {"positions": rows, "table": table(rows)}

    @app.post("/api/v1/market-metrics")
    async def metrics(
        symbols: list[str],
        tenant: Tenant = Depends(caller),  # noqa: B008 - FastAPI's way
    ) -> Any:
        found = await get_market_metrics(tenant.session, symbols)
        rows = [
            {
                name: text(value)
                for name, value in each.model_dump().items()
                if value is not None and not isinstance(value, list)
            }
            for each in found
        ]
        return {"metrics": rows, "table": table(rows), "claude_analysis": ""}

    @app.get("/api/v1/option-chain")
    async def option_chain(
        symbol: str,
        tenant: Tenant = Depends(caller),  # noqa: B008 - FastAPI's way
    ) -> Any:
        chain = tenant.chains.get(symbol)
        if chain is None:
            chain = tenant.chains[symbol] = await get_option_chain(tenant.session, symbol)
        return chain_reply(symbol, chain)

    return app


def chain_reply(symbol: str, chain: dict[Any, list[Any]]) -> dict[str, Any]:
    """The guide's shape: by expiration, and every contract a second time."""
    days = {}
    every = []
    for day in sorted(chain):
        contracts = [
            {
                "strike_price": float(each.strike_price),
                "option_type": each.option_type.value,
                "streamer_symbol": each.streamer_symbol,
                "expiration_date": day.isoformat(),
                "symbol": each.symbol,
            }
            for each in chain[day]
        ]
        every += contracts
        days[day.isoformat()] = {
            "calls": [each for each in contracts if each["option_type"] == "C"],
            "puts": [each for each in contracts if each["option_type"] == "P"],
            "strikes": sorted({each["strike_price"] for each in contracts}),
            "total_options": len(contracts),
        }
    return {
        "symbol": symbol,
        "total_expirations": len(days),
        "total_options": len(every),
        "expiration_dates": list(days),
        "chain": days,
        "all_options": every,
        "table": "",
    }


def table(rows: list[dict[str, Any]]) -> str:
    return tabulate(rows, headers="keys", tablefmt="plain") if rows else "No data"


if __name__ == "__main__":
    port, simulator, keys = sys.argv[1:]
    uvicorn.run(
        application(simulator, int(keys)),
        port=int(port),
        loop="uvloop",
        http="httptools",
        log_level="info",
        access_log=False,
    )
