// The way from the panel's store to the service: in order, in batches, again until acknowledged. Tells
// onChange what it learned: connection, clock, what is left.

const batchMax = 200;
const patienceMs = 20000;
const pauseMs = { first: 1000, most: 60000 };

export async function ask(path, { token, body, signal, headers = {} } = {}) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), patienceMs);
  signal?.addEventListener("abort", () => control.abort());
  try {
    return await fetch(`/api/v1/${path}`, {
      method: body === undefined ? "GET" : "POST", credentials: "omit", cache: "no-store", signal: control.signal,
      headers: { Accept: "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } finally {
    clearTimeout(timer);
  }
}

const eventOf = ({ boot, seq, time, kind, duration_ms: duration }) =>
  (duration === undefined ? { boot, seq, time, kind } : { boot, seq, time, duration_ms: duration });

export class Sender {
  constructor(store, onChange) {
    Object.assign(this, { store, onChange, batch: batchMax, failures: 0, busy: false, timer: 0, again: false });
    this.told = ""; // how the queue was when the service last heard of it
    this.state = { online: null, revoked: false, queued: 0, refused: 0, oldest: null, sentAt: null, clockMs: null };
    addEventListener("online", () => this.kick());
  }

  tell(changes) {
    Object.assign(this.state, changes);
    this.onChange(this.state);
  }

  /** Now, or once what runs has ended. */
  kick() {
    clearTimeout(this.timer);
    this.again = true;
    if (!this.busy) this.run();
  }

  async run() {
    this.busy = true;
    let wait = null;
    while (this.again && wait === null) {
      this.again = false;
      wait = await this.drain().catch(() => this.pause());
    }
    this.busy = false;
    if (wait !== null) this.timer = setTimeout(() => this.kick(), wait);
    else this.correct().catch(() => {});
  }

  /** What the service was told of the queue, and is so no more, is told anew at once. */
  async correct() {
    const access = await this.store.fact("access");
    if (access && this.told && this.told !== this.figures() && !this.state.revoked) await this.report(access);
  }

  figures() { return `${this.state.queued} ${this.state.refused}`; }

  /** Send until nothing is left (null), or say how long to wait. */
  async drain() {
    for (;;) {
      const access = await this.store.fact("access");
      this.tell(await this.store.counts());
      if (!access || this.state.revoked) return null;
      const rows = await this.store.take(access.device, this.batch);
      if (rows.length === 0) return null;
      const wait = await this.send(access, rows);
      if (wait !== null) return wait;
    }
  }

  pause(least = 0) {
    const most = Math.min(pauseMs.most, pauseMs.first * 2 ** Math.min(this.failures++, 10));
    return least + most * (0.5 + Math.random() / 2);
  }

  async send(access, rows) {
    let response;
    const began = Date.now();
    try {
      response = await ask("events", { token: access.token, body: { now: new Date(began).toISOString(), events: rows.map(eventOf) } });
    } catch {
      this.tell({ online: false });
      return this.pause();
    }
    this.tell({ online: true });
    if (response.status === 202) return this.take(access, rows, await response.json());
    if (response.status === 401) {
      this.tell({ revoked: true });
      return null;
    }
    if (response.status === 413 || response.status === 400) return this.shrink(rows, response.status);
    return this.pause(Number(response.headers.get("Retry-After") ?? 0) * 1000);
  }

  /** Smaller and smaller, so that one bad event holds up no other. */
  async shrink(rows, status) {
    if (rows.length > 1) this.batch = Math.max(1, rows.length >> 1);
    else await this.store.refuse(rows[0], `http_${status}`);
    return null;
  }

  async take(access, rows, results) {
    const by = (names) => rows.filter((row, at) => names.includes(results[at]?.result));
    await this.store.remove(by(["added", "duplicate"]));
    for (const row of by(["invalid"])) await this.store.refuse(row, results[rows.indexOf(row)].error?.code ?? "invalid");
    this.failures = 0;
    this.batch = batchMax;
    this.tell({ sentAt: Date.now(), ...(await this.store.counts()) });
    const taken = by(["conflict"]);
    if (taken.length === 0) return null;
    const response = await ask("panel/boot", { token: access.token, body: {} });
    if (!response.ok) return this.pause();
    await this.store.renumber(taken, (await response.json()).boot);
    return null;
  }

  /** Tell how the queue is; learn how the clock is. */
  async report(access) {
    const { queued, refused, oldest, sentAt } = this.state;
    const began = Date.now();
    const told = this.figures();
    const body = { queued, refused, oldest_at: oldest, sent_at: sentAt === null ? null : new Date(sentAt).toISOString() };
    const response = await ask("panel/state", { token: access.token, body });
    const ended = Date.now();
    if (response.ok) this.told = told;
    if (response.ok) this.tell({ online: true, clockMs: (began + ended) / 2 - Date.parse((await response.json()).now) });
    else if (response.status === 401) this.tell({ revoked: true });
  }
}
