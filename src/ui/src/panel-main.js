// The kiosk page: three big buttons for the customer, one for the seller, or both on one tablet. Everything
// that is pressed is kept first and sent when it can be.
import { html, nothing, render, svg } from "lit";
import { Live, pressesAfter } from "./panel-live.js";
import { holdMs, PressButton } from "./panel-press.js";
import { ask, Sender } from "./panel-sender.js";
import { PanelStore } from "./panel-store.js";
import { say } from "./panel-words.js";

const thanksMs = 2500;
const askMs = 1500; // between two looks of a seller's page for an answer, while a window is open
const noteMs = 4000;
const viewMs = 300000; // how often the questions are fetched
const aliveMs = 300000; // a sign of life; silence of a dead panel must not look like silent customers
const reportMs = 60000;
const retryMs = 15000;
const detailsHoldMs = 1500;
const defaultWindowS = 15;
const promptLateMs = 5000; // a press heard later than this is lit, but not played
const signs = { yes: "+", no: "−", unsure: "±" };

class Panel {
  constructor() {
    Object.assign(this, { access: null, view: null, sender: null, live: null, hearing: "deaf", thanks: false, note: "",
      lit: null, pressing: "", details: false, problem: "", code: "", busy: false, awake: false, worker: false, prompts: {}, playing: null, soundBlocked: false });
    this.button = new PressButton({
      onDown: () => this.set({ pressing: "down" }),
      onHold: () => this.set({ pressing: "hold" }),
      onUp: (press) => this.sellerPressed(press),
    });
  }

  async start() {
    this.store = await PanelStore.open();
    this.sender = new Sender(this.store, () => this.draw());
    this.access = await this.store.fact("access");
    this.view = (await this.store.fact("view")) ?? null;
    this.prompts = (await this.store.fact("prompts")) ?? {};
    guardScreen();
    addEventListener("hashchange", () => this.takeLink());
    document.addEventListener("visibilitychange", () => this.keepAwake());
    addEventListener("keydown", (event) => this.keyDown(event));
    addEventListener("keyup", (event) => { if (event.key === " " && this.sells && !isField(event.target)) this.button.up(); });
    this.keepWorker();
    this.keepAwake();
    this.every(1000, () => { if (this.lit || this.sells) this.tick(); });
    this.every(aliveMs, () => this.alive());
    this.every(reportMs, () => this.report());
    this.draw();
    if (!(await this.takeLink()) && this.access) this.begin();
  }

  every(ms, work) { setInterval(() => { if (this.access) Promise.resolve(work()).catch(() => {}); }, ms); }

  set(changes) {
    Object.assign(this, changes);
    this.draw();
  }

  // ---- becoming a device ----

  /** A link with a code in it: exchange it, and take it out of the address. */
  async takeLink() {
    const code = decodeURIComponent(location.hash.slice(1));
    if (!code) return false;
    history.replaceState(null, "", location.pathname);
    await this.pair(code);
    return true;
  }

  async pair(code) {
    this.set({ busy: true, problem: "" });
    const response = await ask("panel/pair", { body: { code } }).catch(() => null);
    const problem = !response ? "pair.offline" : { 200: "", 401: "pair.wrong", 400: "pair.form", 429: "pair.slow" }[response.status] ?? "pair.offline";
    if (problem) {
      this.set({ busy: false, problem, code });
      if (this.access && !this.live) this.begin();
      return;
    }
    await this.store.setAccess(await response.json());
    this.access = await this.store.fact("access");
    this.sender.tell({ revoked: false });
    this.set({ busy: false, code: "", view: null });
    this.begin();
  }

  begin() {
    this.live?.stop();
    this.live = null;
    this.fetchView();
    this.alive();
    this.sender.kick();
  }

  /** What to show; kept, so that it is there without the service. */
  async fetchView() {
    clearTimeout(this.viewTimer);
    const { token } = this.access;
    const response = await ask("panel", { token }).catch(() => null);
    if (response?.status === 200) {
      const view = await response.json();
      await this.store.setFact("view", view);
      this.set({ view });
      this.keepPrompts().catch(() => {});
      if (this.sender.state.queued) this.sender.kick();
      this.listen();
      this.report().catch(() => {});
    } else if (response?.status === 401) this.sender.tell({ revoked: true });
    if (!response) this.sender.tell({ online: false });
    this.viewTimer = setTimeout(() => this.fetchView(), response?.ok ? viewMs : retryMs);
    this.listen();
  }

  /** Keep the sounds and films of the questions, so that they play without the service; forget others. */
  async keepPrompts() {
    const wanted = [...new Set(this.view.questions.map(({ prompt }) => prompt?.sha256).filter(Boolean))];
    const kept = (await this.store.fact("prompts")) ?? {};
    const next = {};
    for (const sha256 of wanted) {
      const response = kept[sha256] ? null : await ask(`panel/prompts/${sha256}`, { token: this.access.token, headers: { Accept: "*/*" } }).catch(() => null);
      const content = kept[sha256] ?? (response?.ok ? await response.blob() : null);
      if (content) next[sha256] = content;
    }
    await this.store.setFact("prompts", next);
    this.prompts = next;
  }

  /** A press was seen: play, if there is something to play. */
  async play() {
    const prompt = this.question()?.prompt;
    const content = prompt && this.prompts[prompt.sha256];
    if (!content || !this.shows) return;
    this.stopPlaying();
    const player = document.createElement(prompt.type.startsWith("video/") ? "video" : "audio");
    this.playing = player;
    player.className = "prompt";
    player.playsInline = true;
    player.src = URL.createObjectURL(content);
    player.addEventListener("ended", () => this.stopPlaying());
    document.documentElement.append(player);
    await player.play().then(() => this.set({ soundBlocked: false }), () => {
      this.stopPlaying();
      this.set({ soundBlocked: true });
    });
  }

  stopPlaying() {
    if (!this.playing) return;
    URL.revokeObjectURL(this.playing.src);
    this.playing.remove();
    this.playing = null;
  }

  listen() {
    if (this.live || !this.shows) return;
    this.live = new Live(this.access.token, (press) => this.heard(press), (hearing) => this.hears(hearing));
  }

  hears(hearing) {
    if (hearing === this.hearing) return;
    if (this.hearing === "deaf") this.sender.kick(); // somebody is there again
    this.set({ hearing });
  }

  report() { return this.sender.state.revoked ? null : this.sender.report(this.access); }

  alive() { return this.keep({ time: new Date().toISOString(), kind: "alive" }); }

  /** Keep an event, then let it be sent. */
  async keep(fields) {
    const id = await this.store.add(fields);
    this.sender.kick();
    return id;
  }

  // ---- what is pressed ----

  get shows() { return (this.view?.role ?? "panel") !== "button"; }

  get sells() { return Boolean(this.view) && this.view.role !== "panel"; }

  answer(kind) {
    if (this.thanks) return;
    this.stopPlaying();
    this.keep({ time: new Date().toISOString(), kind }).catch(() => {});
    if (this.lit) this.lit.answered = true;
    if (this.lit && this.sells) this.tellAnswered();
    this.set({ thanks: true });
    setTimeout(() => this.set({ thanks: false, lit: this.lit?.answered ? null : this.lit }), thanksMs);
  }

  sellerPressed({ at, ms }) {
    const time = new Date(at).toISOString();
    const long = ms >= holdMs;
    this.keep(long ? { time, duration_ms: ms } : { time, kind: "press" }).catch(() => {});
    if (long) this.set({ pressing: "", note: "seller.fm" });
    else this.light(at, "");
    this.set({ pressing: "" });
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => this.set({ note: "" }), noteMs);
  }

  heard({ kind, device, age_ms: age }) {
    if (device === this.access.device) return;
    if (kind === "answer") this.answeredElsewhere(Date.now() - age);
    else this.light(Date.now() - age);
  }

  /** The customer answered on another screen: nothing is left to wait for. Which answer it was, nobody says. */
  answeredElsewhere(at) {
    if (!this.lit || this.lit.answered || at < this.lit.at - askMs || at >= this.lit.until) return;
    this.lit.answered = true;
    this.stopPlaying();
    this.tellAnswered();
    if (this.shows) this.set({ lit: null });
  }

  tellAnswered() {
    this.set({ note: "seller.answered" });
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => this.set({ note: "" }), noteMs);
  }

  /** A seller's page has no stream of its own: it asks while its window is open. */
  async awaitAnswer(lit) {
    let after = null;
    while (this.lit === lit && !lit.answered) {
      const response = await ask(pressesAfter(after), { token: this.access.token }).catch(() => null);
      const told = response?.ok ? await response.json() : { after, presses: [] };
      ({ after } = told);
      told.presses.filter(({ kind }) => kind === "answer").forEach((one) => this.heard(one));
      await new Promise((resolve) => { setTimeout(resolve, askMs); });
    }
  }

  /** A window is open from `at` on. */
  light(at) {
    const seconds = this.question()?.window_s ?? defaultWindowS;
    const until = at + seconds * 1000;
    if (until <= Date.now()) return;
    this.set({ lit: { at, until, answered: false }, note: "" });
    if (Date.now() - at < promptLateMs) this.play();
    if (!this.shows) this.awaitAnswer(this.lit).catch(() => {});
    setTimeout(() => this.closed(until), until - Date.now() + 50);
  }

  /** The panel lives at the close: a silent customer is known to be silent. */
  closed(until) {
    if (this.lit?.until !== until) return;
    if (!this.lit.answered && this.shows) this.alive().catch(() => {});
    this.set({ lit: null });
  }

  tick() { this.draw(); }

  question() {
    const now = new Date().toISOString();
    return this.view?.questions.find(({ from, to }) => from <= now && now < to) ?? null;
  }

  get language() {
    const wanted = [this.question()?.language, this.view?.language, navigator.language.slice(0, 2)];
    return wanted.find((code) => code === "en" || code === "ru") ?? "en";
  }

  t(key, values) { return say(this.language, key, values); }

  keyDown(event) {
    if (!this.access || isField(event.target) || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Escape") this.set({ details: false });
    if (this.shows && "123".includes(event.key)) this.answer(Object.keys(signs)[Number(event.key) - 1]);
    if (this.sells && event.key === " " && !(event.target instanceof HTMLButtonElement)) this.button.down();
  }

  // ---- the device itself ----

  async keepAwake() {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    const lock = await navigator.wakeLock.request("screen").catch(() => null);
    this.set({ awake: Boolean(lock) });
  }

  async keepWorker() {
    if (!("serviceWorker" in navigator)) return;
    const ready = await navigator.serviceWorker.register("/panel-sw.js", { scope: "/panel" }).then(() => navigator.serviceWorker.ready, () => null);
    this.set({ worker: Boolean(ready) });
  }

  // ---- how it looks ----

  draw() {
    document.documentElement.lang = this.language;
    render(this.page(), document.body);
  }

  page() {
    if (!this.access || this.sender.state.revoked || this.busy || this.problem) return this.pairPage();
    return html`
      <main class=${`${this.view?.role ?? "panel"} ${this.lit ? "lit" : ""}`}>
        ${this.shows ? this.customer() : nothing}
        ${this.sells ? this.seller() : nothing}
        ${this.thanks ? html`<div class="thanks" role="status"><b aria-hidden="true">✓</b><p>${this.t("thanks")}</p><small>${this.t("thanks.more")}</small></div>` : nothing}
      </main>
      ${this.status()}
      ${this.details ? this.about() : nothing}`;
  }

  pairPage() {
    const { revoked, queued } = this.sender.state;
    const send = (event) => {
      event.preventDefault();
      this.pair(event.target.elements.code.value);
    };
    return html`<form class="pair" @submit=${send}>
      <h1>${this.t("pair.title")}</h1>
      ${revoked ? html`<p class="problem">${this.t("pair.revoked", { n: queued })}</p>` : nothing}
      <p>${this.t("pair.how")}</p>
      <label>${this.t("pair.code")}<input name="code" autofocus .value=${this.code} autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" placeholder="XXXX-XXXX-XXXX"></label>
      ${this.problem ? html`<p class="problem" role="alert">${this.t(this.problem)}</p>` : nothing}
      <button class="go" ?disabled=${this.busy}>${this.t("pair.go")}</button>
      ${this.access && !revoked && !this.busy ? html`<button type="button" class="back" @click=${() => this.set({ problem: "" })}>${this.t("about.close")}</button>` : nothing}
    </form>`;
  }

  customer() {
    return html`<section class="customer">
      <p class="now" aria-live="polite">${this.lit ? this.t("now") : ""}</p>
      <h1>${this.question()?.text ?? this.t("question.none")}</h1>
      <div class="answers">${Object.entries(signs).map(([kind, sign]) => html`
        <button class=${kind} ?disabled=${this.thanks} @pointerdown=${(event) => { if (event.button === 0) this.answer(kind); }}
          @click=${(event) => { if (event.detail === 0) this.answer(kind); }}><b aria-hidden="true">${sign}</b><span>${this.t(`answer.${kind}`)}</span></button>`)}</div>
    </section>`;
  }

  seller() {
    const left = this.lit ? Math.max(0, Math.ceil((this.lit.until - Date.now()) / 1000)) : 0;
    const text = this.pressing === "hold" ? this.t("seller.holding") : this.note ? this.t(this.note) : left ? this.t(this.lit.answered ? "seller.answered" : "seller.opened", { n: left }) : this.t("seller.how");
    return html`<section class="seller">
      <button class=${`press ${this.pressing}`} @pointerdown=${(event) => this.button.pointerDown(event)} @pointerup=${() => this.button.up()}
        @pointercancel=${() => this.button.up()} @keydown=${(event) => this.button.keyDown(event)} @keyup=${(event) => this.button.keyUp(event)}>
        <svg viewBox="0 0 100 100" aria-hidden="true">${svg`<circle class="track" cx="50" cy="50" r="46"/><circle class="ring" cx="50" cy="50" r="46" pathLength="100"/>`}</svg>
        <span>${this.t("seller.press")}</span></button>
      <p class=${this.note === "seller.fm" || this.pressing === "hold" ? "fm" : ""} role="status">${text}</p>
    </section>`;
  }

  status() {
    const { online, queued, refused, sentAt, clockMs } = this.sender.state;
    const parts = [
      online === null ? "" : `${online ? "●" : "○"} ${this.t(online ? "status.online" : "status.offline")}`,
      this.t("status.queued", { n: queued }),
      sentAt === null ? this.t("status.never") : this.t("status.sent", { when: clockText(sentAt, this.view?.time_zone) }),
      clockMs === null ? "" : this.t("status.clock", { seconds: signed(clockMs / 1000) }),
      refused ? this.t("status.refused", { n: refused }) : "",
      this.soundBlocked ? this.t("status.sound") : "",
      this.store.kept ? "" : this.t("status.memory"),
    ];
    const hold = (event) => {
      event.preventDefault();
      this.detailsTimer = setTimeout(() => this.set({ details: true }), detailsHoldMs);
    };
    const drop = () => clearTimeout(this.detailsTimer);
    return html`<footer class=${online === false ? "offline" : ""} title=${this.t("status.hint")} @pointerdown=${hold} @pointerup=${drop} @pointercancel=${drop} @pointerleave=${drop}>
      ${this.view?.test ? html`<b class="test">${this.t("status.test")}</b>` : nothing}<span class="status">${parts.filter(Boolean).join(" · ")}</span></footer>`;
  }

  about() {
    const row = (key, value) => html`<dt>${this.t(key)}</dt><dd>${value}</dd>`;
    const hearing = { stream: "about.stream", poll: "about.poll" }[this.hearing] ?? "about.deaf";
    return html`<div class="about" role="dialog" aria-modal="true"><dl>
      ${row("about.device", this.access.device)}
      ${row("about.point", this.view ? `${this.view.name} (${this.view.point})` : "–")}
      ${row("about.number", `${this.access.boot}`)}
      ${row("about.storage", this.t(this.store.kept ? "about.disk" : "about.memory"))}
      ${row("about.offline", this.t(this.worker ? "about.yes" : "about.no"))}
      ${row("about.awake", this.t(this.awake ? "about.yes" : "about.awake_no"))}
      ${this.shows ? row("about.listening", this.t(hearing)) : nothing}
    </dl><p><button class="go" @click=${() => document.documentElement.requestFullscreen?.().catch(() => {})}>${this.t("about.full")}</button>
      <button class="back" @click=${() => this.set({ details: false })}>${this.t("about.close")}</button></p></div>`;
  }
}

const isField = (target) => target instanceof HTMLInputElement;

function signed(seconds) {
  const text = Math.abs(seconds).toFixed(1);
  return text === "0.0" ? "±0.1" : `${seconds < 0 ? "−" : "+"}${text}`;
}

function clockText(at, zone) {
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(at);
  } catch { // a zone that this browser does not know
    return new Intl.DateTimeFormat("en-GB", options).format(at);
  }
}

/** A kiosk has no menus, no zoom and nothing to drag. */
function guardScreen() {
  for (const name of ["contextmenu", "gesturestart", "dragstart", "selectstart"])
    addEventListener(name, (event) => { if (!isField(event.target)) event.preventDefault(); });
  addEventListener("wheel", (event) => { if (event.ctrlKey) event.preventDefault(); }, { passive: false });
}

const panel = new Panel();
document.body.replaceChildren();
panel.start();
