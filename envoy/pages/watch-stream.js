// Server-sent events by fetch(), because the browser's own EventSource cannot send a header.
"use strict";

/** An answer that trying again would not change. */
class Refused extends Error {}

/**
 * One stream that opens itself again until it is stopped.
 *
 * `onMessage` gets each message; `onState` gets "connecting", "open", "waiting" (with why and until
 * when), "refused" (with why) and "stopped".
 */
class LiveStream {
  static HEARTBEAT_S = 5;
  static SILENCE_MS = (2 * LiveStream.HEARTBEAT_S + 5) * 1000; // no heartbeat: the line is dead
  static FIRST_PAUSE_MS = 500;
  static LONGEST_PAUSE_MS = 15000;
  static FINAL = new Set([400, 401, 403, 404]);

  #path;
  #key;
  #onMessage;
  #onState;
  #controller = new AbortController();
  #stopped = false;
  #skip = () => {};

  constructor(path, parameters, key, onMessage, onState) {
    const query = new URLSearchParams({ heartbeat_interval: LiveStream.HEARTBEAT_S });
    for (const [name, value] of parameters) query.append(name, value);
    this.#path = `${path}?${query}`;
    this.#key = key;
    this.#onMessage = onMessage;
    this.#onState = onState;
    this.#run();
  }

  stop() {
    this.#stopped = true;
    this.#controller.abort();
    this.#skip();
    this.#onState("stopped", {});
  }

  /** Ends the pause before the next try. */
  tryNow() {
    this.#skip();
  }

  async #run() {
    let failures = 0;
    while (!this.#stopped) {
      this.#tell("connecting", {});
      let why = "The connection was lost";
      try {
        why = await this.#read(() => (failures = 0));
      } catch (error) {
        if (error instanceof Refused) return this.#tell("refused", { why: error.message });
        if (error instanceof Unavailable) why = error.message;
      }
      failures += 1;
      await this.#pause(failures, why);
    }
  }

  async #read(onFirst) {
    this.#controller = new AbortController();
    const abort = () => this.#controller.abort();
    let watchdog = setTimeout(abort, LiveStream.SILENCE_MS);
    try {
      const answer = await fetch(this.#path, {
        headers: { "X-API-Key": this.#key, accept: "text/event-stream" },
        signal: this.#controller.signal,
        cache: "no-store",
      });
      if (!answer.ok) throw await problem(answer);

      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      let last = "The server ended the stream";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return last;
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, LiveStream.SILENCE_MS);
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) {
          if (this.#stopped || !event.startsWith("data:")) continue;
          const message = JSON.parse(event.slice(5));
          onFirst();
          const error = message.notice?.error;
          if (error && LiveStream.FINAL.has(error.status)) throw new Refused(error.detail);
          if (message.kind === "STREAM_EVENT_KIND_END") last = message.notice.detail || last;
          this.#tell("open", {});
          this.#onMessage(message);
        }
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  /** Waits longer after each failure, and a little at random: many pages must not come at once. */
  async #pause(failures, why) {
    const most = Math.min(LiveStream.LONGEST_PAUSE_MS, LiveStream.FIRST_PAUSE_MS * 2 ** failures);
    const pause = most / 2 + (Math.random() * most) / 2;
    this.#tell("waiting", { why, until: Date.now() + pause });
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.#skip = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #tell(state, details) {
    if (!this.#stopped) this.#onState(state, details);
  }
}

/** An answer that may be another one in a moment. */
class Unavailable extends Error {}

/** The gateway's sentence for an answer that is no success. */
async function problem(answer) {
  let detail = `The gateway answered ${answer.status}`;
  try {
    detail = (await answer.json()).detail ?? detail;
  } catch {
    // not JSON: something between here and the gateway
  }
  return new (LiveStream.FINAL.has(answer.status) ? Refused : Unavailable)(detail);
}

/** One call of the REST API; raises Refused or Unavailable with the gateway's sentence. */
async function call(path, key, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: { "X-API-Key": key, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new Unavailable("The gateway is not reachable");
  }
  if (!answer.ok) throw await problem(answer);
  return answer.json();
}
