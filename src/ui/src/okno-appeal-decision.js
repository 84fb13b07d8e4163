// An appeal at hand: its footage, what is asked and why, and what it comes to. The keyboard does it all.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { get, post } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber } from "./format.js";
import { language, named, t } from "./i18n.js";
import { isPressing, isTyping, keyName } from "./keys.js";
import { reasonName } from "./reasons.js";
import { formatWhen } from "./time.js";
import "./okno-lease.js";
import "./okno-player.js";
import "./okno-stills.js";
import "./okno-verdict.js";

const outcomes = { a: "accept", p: "partly", r: "reject" };

class OknoAppealDecision extends OknoElement {
  static properties = {
    item: { attribute: false }, reasons: { state: true }, outcome: { state: true }, verdict: { state: true }, enlarged: { state: true },
    busy: { state: true }, problem: { state: true }, leaseUntil: { state: true },
  };

  static styles = [OknoElement.styles, css`
    :host { --stage-height: calc(100dvh - 18rem); display: grid; grid-template-columns: minmax(0, 1fr); gap: .5rem; }
    .bar { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
    .bar h1 { font-size: 1rem; flex: 1; }
    .page { display: grid; grid-template-columns: minmax(0, 1fr) 22rem; gap: 1rem; align-items: start; }
    .picture { display: grid; grid-template-columns: minmax(0, 1fr); gap: .5rem; }
    .side { padding: .75rem; display: grid; gap: .75rem; }
    .said { border-left: 2px solid var(--accent); padding-left: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
    .outcomes { display: grid; gap: .5rem; }
    .outcomes button { justify-content: flex-start; min-height: 2.5rem; font-weight: 600; }
    .outcomes button span { flex: 1; text-align: left; }
    .outcomes button[aria-pressed="true"] { border-color: var(--accent); background: var(--accent-soft); }
    form { display: grid; gap: .5rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; color: var(--muted); }
    select, textarea { width: 100%; font-size: .875rem; color: var(--text); }
    textarea { min-height: 4.5rem; }
    .problem { color: var(--invalid); }
    @media (max-width: 56rem) { :host { --stage-height: none; } .page { grid-template-columns: minmax(0, 1fr); } }
  `];

  constructor() {
    super();
    this.outcome = this.verdict = this.problem = "";
    this.watched = new Set();
    this.began = Date.now();
  }

  connectedCallback() {
    super.connectedCallback();
    this.loadReasons();
  }

  willUpdate(changed) {
    if (!changed.has("item")) return;
    const { item } = this;
    this.leaseUntil = item.lease_until;
    this.enlarged = !item.clip && item.still ? { ...item.still, alt: t("still.alt", { place: item.survey.point_name, when: formatWhen(item.still.frame_at, item.survey.time_zone) }) } : null;
  }

  async loadReasons() {
    try {
      this.reasons = await get("reasons");
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  onKey(event) {
    if (isTyping(event)) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.renderRoot.querySelector("form")?.requestSubmit();
      if (event.key === "Escape") event.composedPath()[0].blur();
      return;
    }
    if (isPressing(event)) return;
    const key = keyName(event);
    if (outcomes[key]) this.choose(outcomes[key]);
    else if (key === "Escape") this.emit("closed");
    else if (!this.renderRoot.querySelector("okno-player")?.command(key)) return;
    event.preventDefault();
  }

  async choose(outcome) {
    this.outcome = outcome;
    this.verdict = outcome === "partly" ? "undeterminable" : "";
    await this.updateComplete;
    this.renderRoot.querySelector("form select, form textarea")?.focus();
  }

  /** Which reasons the verdict takes that the survey will count as. */
  reasonsNeeded() {
    const verdict = this.outcome === "partly" ? this.verdict : this.outcome === "accept" ? this.item.appeal.asks : "";
    return this.reasons?.[verdict] ?? [];
  }

  async beat() {
    try {
      ({ lease_until: this.leaseUntil } = await post(`queue/${this.item.item}/heartbeat`, { lease: this.item.lease }));
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  async send(event) {
    event.preventDefault();
    if (this.busy) return;
    const form = new FormData(event.target);
    const body = { lease: this.item.lease, outcome: this.outcome, comment: form.get("comment").trim(), watched: [...this.watched], played_s: (Date.now() - this.began) / 1000 };
    if (this.outcome === "partly") body.verdict = form.get("verdict");
    if (form.get("reason")) body.reason = form.get("reason");
    this.busy = true;
    this.problem = "";
    try {
      await post(`appeals/${this.item.appeal.appeal}/decide`, body);
      this.emit("decided", { outcome: this.outcome });
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  renderFacts() {
    const { survey, video, appeal } = this.item;
    return html`
      <div><b>${survey.site_name} · ${survey.point_name}</b>
        <div class="num">${formatWhen(survey.opened_at, survey.time_zone)}</div>
        ${video.camera ? html`<div class="muted">${t("review.clock", { seconds: formatNumber(video.uncertainty_ms / 1000, 1) })}</div>` : nothing}
        ${survey.force_majeure ? html`<div>${t("review.force_majeure")}</div>` : nothing}</div>
      <div>${t("appeals.counts_as")}: ${appeal.verdict ? html`<okno-verdict .verdict=${appeal.verdict}></okno-verdict> ${appeal.reason ? reasonName(appeal.reason) : ""}` : t("appeals.undecided")}
        <div>${t("appeals.asked")}: <b>${t(`appeals.asks_${appeal.asks}`)}</b></div></div>
      <div class="said">${appeal.comment}</div>`;
  }

  renderForm() {
    if (!this.outcome) return nothing;
    const reasons = this.reasonsNeeded();
    return html`
      <form @submit=${this.send}>
        ${this.outcome === "partly" ? html`<label>${t("appeals.instead")}<select name="verdict" .value=${this.verdict} @change=${(event) => { this.verdict = event.target.value; }}>
          ${["undeterminable", "invalid", "valid"].map((word) => html`<option value=${word}>${named("verdict", word)}</option>`)}</select></label>` : nothing}
        ${reasons.length ? html`<label>${t("appeals.reason")}<select name="reason" required><option value="">–</option>
          ${reasons.map((reason) => html`<option value=${reason.id}>${reason[language()]}</option>`)}</select></label>` : nothing}
        <label>${t("appeals.answer")}<textarea name="comment" required maxlength="2000"></textarea></label>
        <button class="primary" ?disabled=${this.busy}>${t("appeals.decide")} <kbd>Ctrl ⏎</kbd></button>
      </form>`;
  }

  render() {
    const { item } = this;
    return html`
      <div class="bar"><button class="quiet" @click=${() => this.emit("closed")}>‹ ${t("appeals.back")} <kbd>Esc</kbd></button>
        <h1>${t("appeals.one", { number: item.appeal.appeal })}</h1>
        <okno-lease .until=${this.leaseUntil} .awake=${() => true} @lease-beat=${this.beat} @lease-ended=${this.beat}></okno-lease></div>
      <div class="page">
        <div class="picture">
          <okno-player .clip=${item.clip} .survey=${item.survey} .still=${this.enlarged} .poster=${item.still?.view?.url ?? item.still?.url} @watched=${(event) => { if (event.detail.sha256) this.watched.add(event.detail.sha256); }}>
            ${item.clip || item.still ? nothing : html`<div slot="none"><h2>${t("review.no_picture")}</h2><p>${named("video", item.video.state)}</p></div>`}
          </okno-player>
          <okno-stills .item=${item} chosen=${this.enlarged?.url ?? ""} @enlarge=${(event) => { this.enlarged = event.detail; }}></okno-stills>
        </div>
        <aside class="side card">
          ${this.renderFacts()}
          <div class="outcomes" role="group" aria-label=${t("appeals.decide")}>${Object.entries(outcomes).map(([key, word]) => html`
            <button aria-pressed=${String(this.outcome === word)} @click=${() => this.choose(word)}><span>${t(`appeals.do_${word}`)}</span><kbd>${key.toUpperCase()}</kbd></button>`)}</div>
          ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
          ${this.renderForm()}
        </aside>
      </div>`;
  }
}
customElements.define("okno-appeal-decision", OknoAppealDecision);
