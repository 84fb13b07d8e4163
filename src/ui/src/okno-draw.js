// The public draw, to be projected: the frame's hash, the seed typed digit by digit by those present in
// turn, the sample, and the same draw computed once more in this browser. The keyboard is enough.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post } from "./api.js";
import { canHash, countSame, hashText, order } from "./cs1.js";
import { errorText } from "./errors.js";
import { formatNumber } from "./format.js";
import { t } from "./i18n.js";
import { isTyping } from "./keys.js";
import { link } from "./router.js";

const SEED_LEAST = 20;
const SEED_MOST = 60;

class OknoDraw extends PageElement {
  static properties = {
    audit: { state: true }, sample: { state: true }, seed: { state: true }, people: { state: true }, named: { state: true },
    busy: { state: true }, refused: { state: true }, check: { state: true }, first: { state: true },
  };

  static styles = [PageElement.styles, css`
    :host { position: fixed; inset: 0; z-index: 5; background: var(--ground); color: var(--text); display: grid;
      grid-template-rows: auto minmax(0, 1fr) auto; gap: 2vh; padding: 3vh 3vw; font-size: 2.6vh; overflow: hidden; }
    header { display: flex; justify-content: space-between; align-items: baseline; gap: 2vw; }
    h1 { font-size: 4vh; } h2 { font-size: 2.8vh; color: var(--muted); font-weight: 500; }
    main { display: grid; grid-template-rows: auto minmax(0, 1fr); gap: 2vh; min-height: 0; }
    .hash { font: 600 3.4vh/1.3 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
    .seed { display: flex; flex-wrap: wrap; gap: 1vh; align-content: start; }
    .digit { font: 600 6vh/1 ui-monospace, "DejaVu Sans Mono", monospace; width: 7.4vh; height: 9vh; display: grid; place-items: center;
      background: var(--surface); border: .3vh solid var(--line); border-radius: 1vh; }
    .digit.next { border-color: var(--accent); background: var(--accent-soft); }
    .digit.given { height: 6vh; width: 5vh; font-size: 4vh; }
    .turn { font-size: 4vh; font-weight: 600; margin-top: 2vh; }
    .stack { display: grid; gap: 1.5vh; align-content: start; min-height: 0; }
    .both { grid-template-rows: auto minmax(0, 1fr); } .drawn { grid-template-rows: auto auto minmax(0, 1fr); }
    ol { align-content: start; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26vw, 100%), 1fr)); gap: .8vh 2vw; overflow: hidden; }
    li { display: flex; gap: 1vw; font: 500 2.5vh/1.35 ui-monospace, "DejaVu Sans Mono", monospace; overflow: hidden; white-space: nowrap; }
    li span:first-child { color: var(--muted); min-width: 4ch; text-align: right; }
    .same { color: var(--valid); font-weight: 600; } .other, .refused { color: var(--invalid); font-weight: 600; }
    footer { display: flex; justify-content: space-between; gap: 2vw; align-items: center; }
    button, input { font-size: 2.6vh; padding: 1vh 1.6vw; min-height: 0; } kbd { font-size: 1.8vh; }
    form { display: flex; flex-wrap: wrap; gap: 1vw; align-items: end; } label { display: grid; gap: .5vh; flex: 1 1 40vw; }
    .muted { font-size: 2.2vh; }
    @media (max-width: 40rem) { /* a phone scrolls: there is no projector to fit */
      :host { display: block; overflow: auto; } main { padding: 2vh 0; } main, .both, .drawn { grid-template-rows: none; }
      ol { grid-template-columns: minmax(0, 1fr); overflow: visible; } li { white-space: normal; overflow: visible; overflow-wrap: anywhere; }
    }
  `];

  constructor() {
    super();
    this.seed = "";
    this.people = [];
    this.first = 0;
  }

  async load() {
    const audit = await get(this.path());
    const { sample } = audit.sample > 0 ? await get(this.path("sample")) : { sample: [] };
    return () => {
      Object.assign(this, { audit, sample });
      if (sample.length > 0) this.recompute();
    };
  }

  path(rest = "") { return `audits/${encodeURIComponent(this.id)}${rest ? `/${rest}` : ""}`; }

  get state() { return this.audit?.state; }

  /** Who types the next digit: those named take turns. */
  get turnOf() { return this.people[this.seed.length % Math.max(1, this.people.length)]; }

  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event) || this.busy) return;
    if (event.key === "Escape") location.hash = link("audits", { id: this.id });
    else if (event.key === "Enter") this.go(event);
    else if (this.state === "checkpointed" && this.named) this.type(event);
    else if (["PageDown", "ArrowDown", "PageUp", "ArrowUp"].includes(event.key)) this.turnPage(event.key.endsWith("Down") ? 1 : -1);
  }

  type(event) {
    if (/^[0-9]$/.test(event.key) && this.seed.length < SEED_MOST) this.seed += event.key;
    else if (event.key === "Backspace") this.seed = this.seed.slice(0, -1);
    else return;
    event.preventDefault();
  }

  /** Rows that fit below each other, in as many columns as the list has. */
  get perPage() { return 39; }

  turnPage(by) {
    const last = Math.max(0, Math.ceil(this.sample.length / this.perPage) - 1);
    this.first = Math.min(last, Math.max(0, this.first + by));
  }

  /** The one thing that Enter does now. */
  get action() {
    if (!this.audit || this.busy) return null;
    if (this.state === "planned") return { text: t("draw.freeze"), run: () => this.step("freeze") };
    if (this.state === "frozen") return { text: t("draw.checkpoint"), run: () => this.step("checkpoint") };
    if (this.state === "checkpointed" && this.named && this.seed.length >= SEED_LEAST) return { text: t("draw.seed_done"), run: () => this.giveSeed() };
    if (this.state === "seeded") return { text: t("draw.draw"), run: () => this.step("draw") };
    return null;
  }

  go(event) {
    if (!this.action) return;
    event?.preventDefault();
    this.action.run();
  }

  async step(name, body = {}) {
    this.busy = true;
    this.refused = "";
    try {
      this.audit = await post(this.path(name), body);
      if (name === "draw") {
        ({ sample: this.sample } = await get(this.path("sample")));
        this.recompute();
      }
    } catch (error) {
      if (error.status === undefined) throw error;
      this.refused = error.message || errorText(error);
    }
    this.busy = false;
  }

  giveSeed() {
    const how = t("draw.how", { n: this.seed.length });
    return this.step("seed", { seed: this.seed, how, witnesses: this.people.join(", ") });
  }

  /** The same draw from what was published, without the service's word for it. */
  async recompute() {
    if (!canHash()) {
      this.check = { problem: t("draw.no_hash") };
      return;
    }
    try {
      const answer = await fetch(`/api/v1/${this.path("frame")}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const lines = await answer.text();
      const hash = await hashText(lines);
      if (this.audit.plan.with_replacement) {
        this.check = { hash: hash === this.audit.frame_sha256, problem: t("draw.replaced") };
        return;
      }
      const ordered = await order(lines, this.audit.seed, (done, all) => { this.check = { done, all }; });
      this.check = { hash: hash === this.audit.frame_sha256, same: countSame(ordered, this.sample, Boolean(this.audit.plan.strata)), of: this.sample.length };
    } catch {
      this.check = { problem: t("draw.no_frame") };
    }
  }

  name(event) {
    event.preventDefault();
    this.people = new FormData(event.target).get("people").split(",").map((one) => one.trim()).filter((one) => one !== "").slice(0, 40);
    this.named = true;
  }

  renderHash() {
    const { frame_sha256: hash, frame_size: size } = this.audit;
    if (!hash) return html`<p>${t("draw.not_frozen")}</p>`;
    return html`<section class="stack"><h2>${t("draw.frame", { n: size })}</h2><p class="hash">${hash.match(/.{1,8}/g).join(" ")}</p></section>`;
  }

  renderNames() {
    return html`<form @submit=${this.name}><label>${t("draw.people")}<input name="people" maxlength="800" autocomplete="off" autofocus></label>
      <button class="primary">${t("draw.begin")} <kbd>Enter</kbd></button></form>`;
  }

  renderTyping() {
    const boxes = Math.max(SEED_LEAST, this.seed.length + (this.seed.length < SEED_MOST ? 1 : 0));
    return html`<section class="stack"><h2>${t("draw.seed")}</h2>
      <div class="seed" role="status" aria-label=${this.seed}>${Array.from({ length: boxes }, (_, at) => html`<span class="digit ${at === this.seed.length ? "next" : ""}">${this.seed[at] ?? ""}</span>`)}</div>
      <p class="turn">${this.turnOf ? t("draw.turn", { name: this.turnOf }) : t("draw.turn_any")}</p>
      <p class="muted">${t("draw.typed", { n: this.seed.length, least: SEED_LEAST })}</p></section>`;
  }

  renderGiven() {
    return html`<section class="stack"><h2>${t("draw.seed")}</h2><p class="hash">${this.audit.seed.match(/.{1,5}/g).join(" ")}</p></section>`;
  }

  renderCheck() {
    if (!this.check) return nothing;
    const { done, all, problem, hash, same, of } = this.check;
    if (all !== undefined) return html`<p class="check">${t("draw.computing", { done: formatNumber(done), all: formatNumber(all) })}</p>`;
    if (problem) return html`<p class="check ${hash === false ? "other" : ""}">${problem}</p>`;
    const right = hash && same === of;
    return html`<p class="check ${right ? "same" : "other"}" role="status">${t(right ? "draw.same" : hash ? "draw.other" : "draw.other_frame", { n: formatNumber(same), of: formatNumber(of) })}</p>`;
  }

  renderSample() {
    const pages = Math.ceil(this.sample.length / this.perPage);
    const from = this.first * this.perPage;
    return html`<section class="stack drawn">
      <h2>${t("draw.sample", { n: formatNumber(this.audit.sample) })}${pages > 1 ? html` · ${t("draw.page", { n: this.first + 1, of: pages })} <kbd>PgDn</kbd>` : nothing}</h2>
      ${this.renderCheck()}
      <ol>${this.sample.slice(from, from + this.perPage).map(({ place, survey }) => html`<li><span>${place}</span><span>${survey}</span></li>`)}</ol></section>`;
  }

  renderMiddle() {
    if (this.state === "checkpointed") return this.named ? this.renderTyping() : this.renderNames();
    if (this.state === "seeded") return this.renderGiven();
    if (this.sample.length > 0) return html`<div class="stack both">${this.renderGiven()}${this.renderSample()}</div>`;
    return html`<p>${t(`draw.next_${this.state}`)}</p>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.audit) return html`<div class="skeleton"></div>`;
    return html`
      <header><h1>${this.audit.title || this.audit.audit}</h1><h2>${t("draw.title")}</h2></header>
      <main>${this.renderHash()}${this.renderMiddle()}</main>
      <footer><span>${this.refused ? html`<span class="refused" role="alert">${this.refused}</span>` : html`<span class="muted"><kbd>Esc</kbd> ${t("draw.leave")}</span>`}</span>
        ${this.action ? html`<button class="primary" @click=${this.go}>${this.action.text} <kbd>Enter</kbd></button>` : nothing}</footer>`;
  }
}
customElements.define("okno-draw", OknoDraw);
