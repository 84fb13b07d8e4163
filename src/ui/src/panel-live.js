// Hearing the seller's button from another device: a stream of server-sent events (read by fetch, because
// EventSource cannot send a token), else asking again and again. Without either the panel works on: it takes
// answers at any time.
import { ask } from "./panel-sender.js";

const silenceMs = 25000;
const pollMs = 2000;
const pollsBeforeStream = 15;

/** Presses, and that there were answers, since the number that was told last; null: from now on. */
export const pressesAfter = (after) => (after === null ? "panel/presses?answers=true" : `panel/presses?answers=true&after=${after}`);

export class Live {
  constructor(token, onPress, onState) {
    Object.assign(this, { token, onPress, onState, after: null, stopped: false });
    this.run();
  }

  stop() {
    this.stopped = true;
    this.control?.abort();
  }

  async run() {
    while (!this.stopped) {
      await this.stream().catch(() => {});
      if (!this.stopped) this.onState("deaf");
      for (let i = 0; i < pollsBeforeStream && !this.stopped; i++) {
        const heard = await this.poll().catch(() => false);
        this.onState(heard ? "poll" : "deaf");
        await new Promise((resolve) => { setTimeout(resolve, pollMs); });
        if (!heard) break; // the stream will tell when somebody is there again
      }
    }
  }

  address() { return pressesAfter(this.after); }

  take(press) {
    this.after = press.number;
    this.onPress(press);
  }

  async poll() {
    const response = await ask(this.address(), { token: this.token });
    if (!response.ok) return false;
    const { after, presses } = await response.json();
    this.after = after;
    presses.forEach((press) => this.take(press));
    return true;
  }

  async stream() {
    const control = new AbortController();
    this.control = control;
    let timer = setTimeout(() => control.abort(), silenceMs);
    try {
      const response = await fetch(`/api/v1/${this.address()}`, {
        credentials: "omit", cache: "no-store", signal: control.signal,
        headers: { Accept: "text/event-stream", Authorization: `Bearer ${this.token}` },
      });
      if (!response.ok || !response.body) return;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => control.abort(), silenceMs);
        this.onState("stream");
        text = this.read(text + decoder.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Take whole messages; what remains is the beginning of the next. */
  read(text) {
    const parts = text.split("\n\n");
    for (const part of parts.slice(0, -1)) {
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (data) this.take(JSON.parse(data));
    }
    return parts.at(-1);
  }
}
