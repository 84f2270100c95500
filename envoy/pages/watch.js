// The page: what is followed, with which key, and what it says about how that goes.
"use strict";

(() => {
  const AROUND = 8; // strikes shown on each side of the money
  const KEY = "tasty.watch.key";
  const FIRST = ["SPY", "QQQ", "AAPL", "NVDA", "SPX", "VIX", "/ESZ6", "BTC/USD"];
  const WORDS = {
    idle: "Not connected",
    connecting: "Connecting …",
    open: "Live",
    stale: "Stale",
    refused: "Refused",
    stopped: "Not connected",
  };

  const at = (id) => document.getElementById(id);
  const streams = new Map(); // "quotes", "chain", "greeks" → {stream, state, details}
  const quotes = new QuoteTable(at("quotes"), (symbol) => follow(symbols.filter((s) => s !== symbol)));
  const chain = new ChainTable(at("chain"), (symbol) => watch([symbol]));
  let key = sessionStorage.getItem(KEY) ?? "";
  let symbols = location.hash.length > 1 ? split(decodeURIComponent(location.hash.slice(1))) : FIRST;
  let underlying = "";
  let messages = 0;
  let conflated = 0;
  let stale = "";
  let turn = 0; // grows with each choice of a chain: what an older one still waits for is moot

  // --- streams

  function open(name, path, parameters, onMessage) {
    close(name);
    const entry = { state: "connecting", details: {} };
    streams.set(name, entry);
    const onState = (state, details) => {
      if (streams.get(name) !== entry) return;
      if (entry.state === state && state === "open") return;
      Object.assign(entry, { state, details });
      render();
    };
    entry.stream = new LiveStream(path, parameters, key, onMessage, onState);
  }

  function close(name) {
    const entry = streams.get(name);
    streams.delete(name);
    entry?.stream.stop();
  }

  function follow(wanted) {
    symbols = wanted;
    history.replaceState(null, "", symbols.length ? `#${encodeURIComponent(symbols.join(","))}` : "#");
    quotes.follow(symbols);
    if (!connected() || !symbols.length) {
      close("quotes");
      return render();
    }
    const parameters = [...symbols.map((symbol) => ["symbols", symbol]), ["min_interval", "0.2"]];
    open("quotes", "/api/v1/stream/quotes", parameters, (message) => {
      messages += 1;
      switch (message.kind) {
        case "STREAM_EVENT_KIND_ACKNOWLEDGEMENT":
          return quotes.acknowledge(message.notice.subscriptions);
        case "STREAM_EVENT_KIND_STALE":
          quotes.markStale(message.notice.symbols);
          if (!message.notice.symbols.length) say("stale", `Prices are not live: ${message.notice.detail}.`);
          break;
        case "STREAM_EVENT_KIND_RECONNECTED":
          say("", `The broker's feed is ${message.notice.detail}.`);
          break;
        case "STREAM_EVENT_KIND_HEARTBEAT":
          conflated = message.notice.conflated;
          break;
        default:
          quotes.update(message.quotes);
      }
    });
  }

  function watch(added) {
    const all = [...new Set([...symbols, ...added])];
    if (all.length > symbols.length) follow(all);
  }

  function followChain(contracts) {
    const asked = contracts.map((each) => ["symbols", each.symbol]);
    const both = [...asked, ["symbols", underlying], ["min_interval", "0.3"]];
    const onNotice = (message) => {
      messages += 1;
      if (message.kind === "STREAM_EVENT_KIND_STALE" && !message.notice.symbols.length) chain.markStale();
    };
    open("chain", "/api/v1/stream/quotes", both, (message) => {
      onNotice(message);
      chain.quotes(message.quotes);
      const spot = message.quotes.find((quote) => quote.symbol === underlying);
      if (spot) showSpot(spot);
    });
    open("greeks", "/api/v1/stream/greeks", [...asked, ["min_interval", "1"]], (message) => {
      onNotice(message);
      chain.greeks(message.greeks);
    });
  }

  // --- the chain picker

  async function pick(symbol) {
    const mine = (turn += 1);
    underlying = symbol.trim().toUpperCase();
    close("chain");
    close("greeks");
    chain.fill([]);
    at("expirations").replaceChildren();
    at("spot").textContent = "";
    at("underlying").value = underlying;
    if (!connected() || !underlying) return;
    try {
      note(`Looking up ${underlying} …`);
      const price = await spotOf(underlying, mine);
      const near = price ? `&min_strike=${price * 0.97}&max_strike=${price * 1.03}` : "";
      const found = await chainOf(near);
      if (mine !== turn) return;
      showExpirations(found);
      const days = found.expiration_dates;
      // Today's contracts may have expired already, and nobody quotes them then: they are one click away.
      const first = days.find((day) => daysTo(found.chain[day]) > 0) ?? days[0];
      if (!first) return note(`${underlying} has no options.`);
      await choose(first, price);
    } catch (error) {
      if (mine === turn) note(error.message);
    }
  }

  async function choose(day, price) {
    const mine = (turn += 1);
    for (const button of at("expirations").children) {
      button.setAttribute("aria-pressed", String(button.dataset.day === day));
    }
    note(`Loading ${day} …`);
    try {
      price ??= await spotOf(underlying, mine);
      const found = await chainOf(`&expiration_date=${day}`);
      if (mine !== turn) return;
      const strikes = around(found.chain[day], price);
      chain.fill(strikes);
      chain.spot(price);
      note("");
      followChain(strikes.flatMap(({ call: right, put }) => [right, put]).filter(Boolean));
    } catch (error) {
      if (mine === turn) note(error.message);
    }
  }

  async function spotOf(symbol, mine) {
    const answer = await call("/api/v1/quotes?analyze=false&timeout=5", key, [{ symbol }]);
    if (mine === turn) {
      underlying = answer.quotes[0].symbol;
      showSpot(answer.quotes[0]);
    }
    return Number(answer.quotes[0].mid_price ?? answer.quotes[0].last_price);
  }

  const chainOf = (filters) =>
    call(`/api/v1/option-chain?symbol=${encodeURIComponent(underlying)}&all_options=false${filters}`, key);

  /** The strikes next to the price; where two roots share a day, the one that settles at its close. */
  function around(expiration, price) {
    const rows = new Map();
    for (const [side, contracts] of [["call", expiration.calls], ["put", expiration.puts]]) {
      for (const contract of contracts) {
        const row = rows.get(contract.strike_price) ?? { strike: contract.strike_price };
        if (!row[side] || contract.settlement_type === "PM") row[side] = contract;
        rows.set(contract.strike_price, row);
      }
    }
    const sorted = [...rows.values()].sort((a, b) => a.strike - b.strike);
    const money = sorted.findIndex(({ strike }) => strike > price);
    const middle = money < 0 ? sorted.length : money;
    return sorted.slice(Math.max(0, middle - AROUND), middle + AROUND);
  }

  const daysTo = ({ calls, puts }) => (calls[0] ?? puts[0]).days_to_expiration;

  function showExpirations(found) {
    const buttons = found.expiration_dates.map((day) => {
      const button = element("button", "", "quiet");
      button.type = "button";
      button.dataset.day = day;
      const date = new Date(`${day}T12:00:00`);
      const shown = date.toLocaleDateString("en-US", { month: "short", day: "numeric", year: "2-digit" });
      button.append(element("b", shown), element("small", `${daysTo(found.chain[day])} d`));
      button.addEventListener("click", () => choose(day));
      return button;
    });
    at("expirations").replaceChildren(...buttons);
  }

  function showSpot(quote) {
    const price = quote.mid_price ?? quote.last_price;
    if (!price) return;
    const shown = Number(price).toFixed(2);
    at("spot").replaceChildren(element("b", shown), element("small", quote.stale ? "stale" : ""));
    chain.spot(Number(price));
  }

  // --- what the page says of itself

  const connected = () => at("toggle").dataset.on === "true";

  function say(state, text) {
    stale = state;
    at("notice").textContent = text;
    at("notice").className = state || "good";
    at("notice").hidden = !text;
    if (!state) setTimeout(() => !stale && (at("notice").hidden = true), 4000);
    render();
  }

  const note = (text) => (at("chain-notice").textContent = text);

  function render() {
    const entries = [...streams.values()];
    const worst = ["refused", "waiting", "connecting", "open"].find((state) => entries.some((each) => each.state === state));
    const entry = entries.find((each) => each.state === worst);
    const state = worst === "open" && stale ? "stale" : (worst ?? "idle");
    const seconds = Math.max(0, Math.ceil(((entry?.details.until ?? 0) - Date.now()) / 1000));
    const text = {
      waiting: () => `${entry.details.why.replace(/\.$/, "")}. Again in ${seconds} s`,
      refused: () => entry.details.why,
    }[state]?.();
    at("status").dataset.state = state;
    at("status").lastElementChild.textContent = text ?? WORDS[state];
    at("now").hidden = state !== "waiting";
    at("forget").hidden = !key;
    if (state === "waiting" || state === "refused") quotes.markStale([]);
    if (state === "refused") switchTo(false); // so that another key can be tried
  }

  function switchTo(on) {
    at("toggle").dataset.on = String(on);
    at("toggle").textContent = on ? "Disconnect" : "Connect";
  }

  function connect() {
    key = at("key").value;
    sessionStorage.setItem(KEY, key);
    switchTo(true);
    follow(symbols);
    pick(at("underlying").value || "SPY");
  }

  function disconnect() {
    turn += 1;
    switchTo(false);
    for (const name of [...streams.keys()]) close(name);
    say("", "");
  }

  function split(text) {
    // An option's own symbol has spaces in it, so symbols are separated by commas.
    return [...new Set(text.toUpperCase().split(",").map((each) => each.trim()).filter(Boolean))];
  }

  at("connect").addEventListener("submit", (event) => {
    event.preventDefault();
    connected() ? disconnect() : connect();
  });
  at("forget").addEventListener("click", () => {
    disconnect();
    key = at("key").value = "";
    sessionStorage.removeItem(KEY);
    render();
  });
  at("now").addEventListener("click", () => streams.forEach(({ stream }) => stream.tryNow()));
  at("add").addEventListener("submit", (event) => {
    event.preventDefault();
    const added = split(at("symbols").value);
    at("symbols").value = "";
    watch(added);
  });
  at("pick").addEventListener("submit", (event) => {
    event.preventDefault();
    pick(at("underlying").value);
  });
  setInterval(() => {
    quotes.tick();
    render();
    const missed = conflated ? `, ${conflated} older values skipped` : "";
    at("pulse").textContent = connected() ? `${messages} messages a second${missed}` : "";
    messages = 0;
  }, 1000);

  at("key").value = key;
  quotes.follow(symbols);
  render();
  if (key) connect();
})();
