// The two tables. A cell is touched only when its text changes, and flashes the way the price went.
"use strict";

const FLASH_MS = 350;

function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Writes a text into a cell; a price that moved says which way. */
function show(cell, text, { moves = false } = {}) {
  if (cell.textContent === text) return;
  const before = Number.parseFloat(cell.textContent);
  const now = Number.parseFloat(text);
  cell.textContent = text;
  if (!moves || Number.isNaN(before) || Number.isNaN(now) || before === now) return;
  const name = now > before ? "up" : "down";
  cell.classList.remove("up", "down");
  void cell.offsetWidth; // so that a flash in the same direction begins anew
  cell.classList.add(name);
  clearTimeout(cell.flash);
  cell.flash = setTimeout(() => cell.classList.remove(name), FLASH_MS);
}

function ageOf(received) {
  const seconds = Math.max(0, (Date.now() - Date.parse(received)) / 1000);
  if (seconds < 1) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** An option's symbol as people say it: SPY 26-12-18 700 P. */
function shortName(symbol) {
  const option = /^([A-Z0-9]+) +(\d\d)(\d\d)(\d\d)([CP])(\d{8})$/.exec(symbol);
  if (!option) return symbol;
  const [, root, year, month, day, right, strike] = option;
  return `${root} ${year}-${month}-${day} ${Number(strike) / 1000} ${right}`;
}

const shortSize = (size) => (size < 10 ? String(Number(size.toPrecision(2))) : String(Math.round(size)));

/** The watched symbols, in the order in which they were added. */
class QuoteTable {
  #body;
  #onRemove;
  #rows = new Map(); // what was asked for → {row, cells, quote}
  #names = new Map(); // the broker's symbol → what was asked for

  constructor(table, onRemove) {
    this.#body = table.tBodies[0];
    this.#onRemove = onRemove;
  }

  /** Makes the rows those of `symbols`, and keeps what is known of them. */
  follow(symbols) {
    for (const [symbol, { row }] of this.#rows) {
      if (!symbols.includes(symbol)) {
        row.remove();
        this.#rows.delete(symbol);
      }
    }
    for (const symbol of symbols) {
      if (!this.#rows.has(symbol)) this.#add(symbol);
    }
  }

  /** Takes what became of each symbol: under which name its values come, or why they do not. */
  acknowledge(subscriptions) {
    this.#names.clear();
    for (const each of subscriptions) {
      const row = this.#rows.get(each.requested_symbol);
      if (!row) continue;
      const unknown = each.status === "SUBSCRIPTION_STATUS_UNKNOWN";
      row.row.classList.toggle("unknown", unknown);
      row.row.title = unknown ? each.detail : "";
      if (unknown) show(row.cells.age, "unknown");
      else this.#names.set(each.symbol, each.requested_symbol);
    }
  }

  update(quotes) {
    for (const quote of quotes) {
      const row = this.#rows.get(this.#names.get(quote.symbol));
      if (!row) continue;
      row.quote = quote;
      row.row.classList.toggle("stale", quote.stale);
      show(row.cells.bid, quote.bid_price ?? "–", { moves: true });
      show(row.cells.ask, quote.ask_price ?? "–", { moves: true });
      show(row.cells.last, quote.last_price ?? "–", { moves: true });
      const sizes = [quote.bid_size, quote.ask_size];
      show(row.cells.size, sizes.some(Boolean) ? sizes.map(shortSize).join(" × ") : "");
      row.cells.age.title = quote.stale ? "stale" : "";
    }
    this.tick();
  }

  markStale(symbols) {
    for (const row of this.#rows.values()) {
      if (!row.quote) continue;
      if (!symbols.length || symbols.includes(row.quote.symbol)) row.row.classList.add("stale");
    }
  }

  /** Lets the ages grow. */
  tick() {
    for (const { cells, quote } of this.#rows.values()) {
      if (quote) show(cells.age, ageOf(quote.received_at));
    }
  }

  #add(symbol) {
    const row = element("tr");
    row.dataset.symbol = symbol;
    const name = element("th", shortName(symbol));
    name.scope = "row";
    name.title = symbol;
    const cells = {};
    row.append(name);
    for (const key of ["bid", "ask", "last", "size", "age"]) {
      cells[key] = element("td", key === "age" ? "…" : "", key === "size" ? "wide" : key);
      row.append(cells[key]);
    }
    const remove = element("button", "×", "remove");
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${symbol}`);
    remove.addEventListener("click", () => this.#onRemove(symbol));
    const last = element("td");
    last.append(remove);
    row.append(last);
    this.#body.append(row);
    this.#rows.set(symbol, { row, cells, quote: null });
  }
}

/** Calls and puts of one expiration around the money. */
class ChainTable {
  #table;
  #onPick;
  #cells = new Map(); // the broker's symbol → {bid, ask, delta, iv}
  #strikes = []; // [strike, row]

  constructor(table, onPick) {
    this.#table = table;
    this.#onPick = onPick;
  }

  /** Shows the contracts of `strikes`: [{strike, call, put}], ascending. */
  fill(strikes) {
    const body = this.#table.tBodies[0];
    body.replaceChildren();
    this.#cells.clear();
    this.#strikes = [];
    for (const { strike, call: right, put } of strikes) {
      const row = element("tr");
      row.dataset.strike = strike;
      const middle = element("th", String(strike));
      middle.scope = "row";
      row.append(
        ...this.#side(right, ["iv", "delta", "bid", "ask"], row),
        middle,
        ...this.#side(put, ["bid", "ask", "delta", "iv"], row),
      );
      body.append(row);
      this.#strikes.push([strike, row]);
    }
    this.#table.hidden = !strikes.length;
  }

  quotes(quotes) {
    for (const quote of quotes) {
      const cells = this.#cells.get(quote.symbol);
      if (!cells) continue;
      show(cells.bid, quote.bid_price ?? "–", { moves: true });
      show(cells.ask, quote.ask_price ?? "–", { moves: true });
      for (const cell of [cells.bid, cells.ask]) cell.classList.toggle("old", quote.stale);
    }
  }

  greeks(greeks) {
    for (const each of greeks) {
      const cells = this.#cells.get(each.symbol);
      if (!cells) continue;
      show(cells.delta, each.delta ? Number(each.delta).toFixed(2) : "–");
      show(cells.iv, each.volatility ? `${(100 * Number(each.volatility)).toFixed(1)} %` : "–");
      cells.delta.title = `gamma ${each.gamma}, theta ${each.theta}, vega ${each.vega}, rho ${each.rho}`;
      for (const cell of [cells.delta, cells.iv]) cell.classList.toggle("old", each.stale);
    }
  }

  /** Marks what is in the money, and draws the line where the underlying is. */
  spot(price) {
    let line = null;
    for (const [strike, row] of this.#strikes) {
      row.classList.toggle("below", strike < price);
      row.classList.remove("money");
      if (strike <= price) line = row;
    }
    line?.classList.add("money");
  }

  markStale() {
    for (const cells of this.#cells.values()) {
      for (const cell of Object.values(cells)) cell.classList.add("old");
    }
  }

  #side(contract, names, row) {
    const side = names[0] === "iv" ? "call" : "put";
    const cells = {};
    const made = names.map((name) => {
      const cell = element("td", contract ? "" : "–", `${side} ${name}${name === "iv" ? " wide" : ""}`);
      if (contract) cell.addEventListener("click", () => this.#onPick(contract.symbol));
      cells[name] = cell;
      return cell;
    });
    if (contract) this.#cells.set(contract.symbol, cells);
    row.dataset[side] = contract?.symbol ?? "";
    return made;
  }
}
