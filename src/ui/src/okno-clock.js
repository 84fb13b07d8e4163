// The clock of an archive or a camera: what was measured and how it drifts, a look at it now, and finding a camera's
// offset from what presses light up. Nothing that was found counts before somebody accepts it.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import "./okno-region.js";
import { get, post, serviceNow } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber, formatOffsetWithin } from "./format.js";
import { has, t } from "./i18n.js";
import { formatWhen } from "./time.js";

const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const askMs = 1500;

class OknoClock extends OknoElement {
  static properties = { noun: {}, id: {}, zone: {}, looked: {}, data: { state: true }, asked: { state: true }, region: { state: true }, problem: { state: true } };

  static styles = [OknoElement.styles, css`
    :host { display: block; font-size: .75rem; }
    .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: .25rem 0; }
    label { display: grid; gap: .125rem; }
    ul { margin: .25rem 0; padding: 0; list-style: none; max-height: 12rem; overflow-y: auto; }
    li { padding: .125rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
    .problem, .bad { color: var(--invalid); } .ok { color: var(--valid); } .warn { color: var(--amber); }
    progress { width: 8rem; }
    input { max-width: 11rem; }
  `];

  disconnectedCallback() {
    clearTimeout(this.timer);
    super.disconnectedCallback();
  }

  get path() { return `${this.noun}s/${encodeURIComponent(this.id)}`; }

  async load() {
    try {
      this.data = await get(`${this.path}/clock`);
      // Where the panel was said to be the last time.
      this.region ??= this.data.syncs?.find(({ region }) => region)?.region.join(", ") ?? "";
      this.problem = "";
    } catch (error) {
      this.problem = errorText(error);
    }
    clearTimeout(this.timer);
    if (this.isConnected && this.data?.syncs?.some(({ state }) => state === "waiting" || state === "running")) this.timer = setTimeout(() => this.load(), askMs);
  }

  toggle(event) {
    if (event.target.open) this.load();
    else clearTimeout(this.timer);
  }

  async ask(path, body) {
    this.problem = "";
    try {
      await post(path, body);
      return true;
    } catch (error) {
      this.problem = errorText(error);
      return false;
    }
  }

  async probe() {
    if (await this.ask(`${this.path}/probe`)) this.asked = this.looked ?? "never";
  }

  async sync(event) {
    event.preventDefault();
    const fields = new FormData(event.target);
    const hours = Number(fields.get("hours"));
    const body = { from: new Date(serviceNow() - hours * 3600000).toISOString(), to: new Date(serviceNow()).toISOString() };
    if (this.region.trim()) body.region = this.sides;
    if (body.region?.some((side) => Number.isNaN(side))) this.problem = t("clock.region_form");
    else if (await this.ask(`${this.path}/sync`, body)) await this.load();
  }

  get sides() { return this.region.trim().split(/[\s,;]+/u).map(Number); }

  /** As a rectangle to draw; null while it is none. */
  get drawn() { return this.region && this.sides.length === 4 && !this.sides.some(Number.isNaN) ? this.sides : null; }

  renderPicture() {
    return html`<okno-region .picture=${`/api/v1/evidence/${this.data.picture}.jpg`} .value=${this.drawn} .alt=${t("sync.picture", { camera: this.id })}
      @region=${({ detail }) => { this.region = detail?.join(", ") ?? ""; }}></okno-region>`;
  }

  async accept(sync) {
    if (!await this.ask(`syncs/${sync}/accept`)) return;
    await this.load();
    this.emit("accepted");
  }

  seconds(ms, unsure) {
    return formatOffsetWithin(ms, unsure, 2);
  }

  renderMeasurement(one) {
    const key = `method.${one.method}`;
    return html`<li><span class="num">${formatWhen(one.at, this.zone || browserZone)}: ${this.seconds(one.offset_ms, one.uncertainty_ms)}</span>,
      ${has(key) ? t(key) : one.method}, ${one.author}${one.step ? html` · <span class="warn">${t("clock.step")}</span>` : nothing}</li>`;
  }

  renderSync(one) {
    const open = one.state === "waiting" || one.state === "running";
    return html`<li><b>${t(`sync.${one.state}`)}</b> ${formatWhen(one.asked_at, this.zone || browserZone)}, ${one.author}
      ${open ? html`<progress max=${one.windows || 1} value=${one.looked} aria-label=${t("sync.running")}></progress>` : nothing}
      ${one.offset_ms === null ? nothing : html`<div class="num">${this.seconds(one.offset_ms, one.uncertainty_ms)} · ${t("sync.agree", { agreeing: one.agreeing, events: one.events })}</div>
        <div class="num">${t("sync.known", { known: this.seconds(one.known_ms, one.known_uncertainty_ms) })}</div>`}
      ${one.message ? html`<div class="bad">${one.message}</div>` : nothing}
      ${one.state === "found" ? html`<button class="primary" @click=${() => this.accept(one.sync)}>${t("sync.accept")}</button>` : nothing}
      ${one.accepted_by ? html`<div class="ok">✓ ${t("sync.accepted_by", { who: one.accepted_by })}</div>` : nothing}</li>`;
  }

  renderOverlay(one) {
    return html`<li class="num">${formatWhen(one.at, this.zone || browserZone)}: ${t("clock.overlay", { offset: this.seconds(one.overlay_minus_index_ms, one.uncertainty_ms) })}, ${one.author}</li>`;
  }

  renderSearch() {
    return html`<form class="row" @submit=${this.sync}>
      <label>${t("sync.hours")}<input name="hours" type="number" min="1" max="168" value="24" required></label>
      <label>${t("sync.region")}<input name="region" .value=${this.region ?? ""} @input=${({ target }) => { this.region = target.value; }} placeholder="40, 35, 60, 55" autocomplete="off"></label>
      <button>${t("sync.begin")}</button></form>
      ${this.data?.picture ? this.renderPicture() : nothing}`;
  }

  renderData() {
    const { measurements, drift, overlays, syncs } = this.data;
    return html`${drift ? html`<p class="num">${t("clock.drift", { rate: formatNumber(drift.rate_ppm, 1), unsure: formatNumber(drift.rate_uncertainty_ppm, 1), day: formatNumber(drift.rate_ppm * .0864, 2) })}</p>` : nothing}
      ${syncs?.length ? html`<ul>${syncs.map((one) => this.renderSync(one))}</ul>` : nothing}
      ${measurements.length ? html`<ul>${measurements.map((one) => this.renderMeasurement(one))}</ul>` : html`<p>${t("devices.unmeasured")}</p>`}
      ${overlays?.length ? html`<ul>${overlays.map((one) => this.renderOverlay(one))}</ul>` : nothing}`;
  }

  render() {
    const waits = this.asked && this.asked === (this.looked ?? "never");
    return html`<details @toggle=${this.toggle}><summary>${t("clock.more")}</summary>
      ${this.noun === "archive" ? html`<div class="row"><button ?disabled=${waits} @click=${this.probe}>${t(waits ? "clock.probing" : "clock.probe")}</button>
        ${this.looked ? html`<span class="num">${t("clock.looked", { when: formatWhen(this.looked, browserZone) })}</span>` : nothing}</div>` : this.renderSearch()}
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      ${this.data ? this.renderData() : nothing}</details>`;
  }
}
customElements.define("okno-clock", OknoClock);
