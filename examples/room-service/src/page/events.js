// Follows the service's events. The stream is read with fetch, since an EventSource cannot send a
// token. It goes on after the last event seen; if it is cut off it tries again, ever less often.

import { headers, refuse, Unauthorized } from "./api.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
// The service sends a comment every 15 s.
const SILENCE_MS = 40_000;
const LONGEST_EVENT = 1 << 20;

/**
 * Follows events until `stop` is called.
 *
 * `on.state(state, seconds)` tells of "live", "waiting" (for a new try, in so many seconds) and
 * "unauthorized"; `on.change(change)` of a change; `on.reset()` that something was missed, and the
 * lists are to be read again.
 */
export function follow(on) {
  let lastId = null;
  let pause = FIRST_PAUSE_MS;
  let timer = 0;
  let stopped = false;
  let running = new AbortController();

  async function connect() {
    running = new AbortController();
    const { signal } = running;
    let problem = null;
    try {
      await read(signal);
    } catch (error) {
      problem = error;
    }
    if (stopped || running.signal !== signal) return;
    if (problem instanceof Unauthorized) {
      on.state("unauthorized", problem.message);
      return;
    }
    const wait = pause * (0.75 + Math.random() / 2);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    on.state("waiting", Math.ceil(wait / 1_000));
    timer = setTimeout(connect, wait);
  }

  async function read(signal) {
    const watchdog = new AbortController();
    let silence = setTimeout(() => watchdog.abort(), SILENCE_MS);
    try {
      const response = await fetch("/events", {
        headers: headers(lastId === null ? {} : { "Last-Event-ID": lastId }),
        cache: "no-store",
        signal: AbortSignal.any([signal, watchdog.signal]),
      });
      refuse(response);
      if (!response.ok) throw new Error(`it answered ${response.status}`);
      pause = FIRST_PAUSE_MS;
      on.state("live");
      // Without a place to go on from, whatever happened until now may have been missed.
      if (lastId === null) on.reset();
      const parse = parser(dispatch);
      const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await text.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => watchdog.abort(), SILENCE_MS);
        parse(value);
      }
    } finally {
      clearTimeout(silence);
      watchdog.abort();
    }
  }

  function dispatch({ id, event, data }) {
    if (id !== null) lastId = id;
    if (event === "reset") {
      on.reset();
    } else if (event === "change" && data !== "") {
      let change;
      try {
        change = JSON.parse(data);
      } catch {
        on.reset();
        return;
      }
      on.change(change);
    }
  }

  function again() {
    clearTimeout(timer);
    running.abort();
    pause = FIRST_PAUSE_MS;
    connect();
  }

  connect();
  return {
    again,
    stop() {
      stopped = true;
      clearTimeout(timer);
      running.abort();
    },
  };
}

/** Takes pieces of a stream of events, and hands on each event when it is whole. */
export function parser(dispatch) {
  let rest = "";
  let afterReturn = false;
  let id = null;
  let event = "";
  let data = [];

  function line(text) {
    if (text === "") {
      if (id !== null || event !== "" || data.length > 0) {
        dispatch({ id, event, data: data.join("\n") });
      }
      id = null;
      event = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "id") id = value;
    else if (field === "event") event = value;
    else if (field === "data") data.push(value);
  }

  return (piece) => {
    // A line break may be cut in two.
    if (afterReturn && piece.startsWith("\n")) piece = piece.slice(1);
    if (piece !== "") afterReturn = piece.endsWith("\r");
    const lines = (rest + piece).split(/\r\n|\n|\r/);
    rest = lines.pop();
    if (rest.length > LONGEST_EVENT) throw new Error("an event is too long");
    lines.forEach(line);
  };
}
