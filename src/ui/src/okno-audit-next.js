// The step of an audit that is due, done here: freeze, checkpoint, seed, draw, close; a further round, and the
// end of an audit that leads nowhere.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { download, get, post } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber } from "./format.js";
import { has, language, named, t } from "./i18n.js";
import { link } from "./router.js";
import { afterClose } from "./steps.js";
import "./okno-report-form.js";
import "./okno-waiting.js";

// Refusals that a reason overcomes, by the option that the service names.
const accepts = { "accept-unheard": "accept_unheard", "accept-fm": "accept_fm" };

class OknoAuditNext extends OknoElement {
  static properties = { audit: { attribute: false }, zone: {}, busy: { state: true }, trouble: { state: true }, wants: { state: true }, ending: { state: true }, earlier: { state: true } };

  static styles = [OknoElement.styles, css`
    article { padding: 1rem; display: grid; gap: .75rem; border-left: 3px solid var(--accent); }
    form, .row { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    label.wide { flex: 1 1 18rem; } input { font-size: .875rem; } input[type="number"] { width: 8rem; }
    .small { font-size: .8125rem; color: var(--muted); }
    .trouble { color: var(--invalid); } .amber { color: var(--amber); }
    summary { cursor: pointer; color: var(--muted); }
  `];

  willUpdate(changed) {
    if (changed.has("audit") && changed.get("audit")?.audit !== this.audit.audit) Object.assign(this, { wants: [], trouble: "", ending: false, earlier: null });
  }

  get place() { return `audits/${encodeURIComponent(this.audit.audit)}`; }

  /** What is due now; what comes after the close is told by the steps. */
  get due() { return this.audit.state === "closed" ? afterClose(this.audit) : this.audit.next; }

  get left() { return (this.audit.sample ?? 0) - (this.audit.reviewed ?? 0); }

  get rounds() { return (this.audit.steps ?? []).filter(({ step }) => step === "draw" || step === "extend").length; }

  async run(step, body = {}, does = post) {
    Object.assign(this, { busy: true, trouble: "" });
    try {
      await does(`${this.place}/${step}`, body);
      Object.assign(this, { wants: [], earlier: null });
      this.emit("audit-stepped");
    } catch (error) {
      this.trouble = errorText(error);
      const option = Object.keys(accepts).find((one) => error.message.includes(`--${one}`));
      if (step === "freeze" && option && !this.wants.includes(option)) this.wants = [...this.wants, option];
    } finally {
      this.busy = false;
    }
  }

  submit(event, step) {
    event.preventDefault();
    const fields = [...new FormData(event.target)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "");
    const body = Object.fromEntries(fields.map(([name, value]) => [name, name === "size" ? Number(value) : value]));
    return this.run(step, body);
  }

  renderForm(step, fields = nothing) {
    return html`<form @submit=${(event) => this.submit(event, step)}>${fields}
      <button class=${step === "abandon" || step === "extend" ? "" : "primary"} ?disabled=${this.busy}>${t(`next.${step}`)}</button></form>`;
  }

  renderText(name, { required = false, max = 1000, label = `next.${name}` } = {}) {
    return html`<label class="wide">${t(label)}<input name=${name} maxlength=${max} autocomplete="off" ?required=${required}></label>`;
  }

  renderSeed() {
    return html`<p class="small">${t("next.seed_how")} <a href=${link("audits", { id: this.audit.audit, query: { draw: 1 } })}>${t("audits.draw")} ›</a></p>
      ${this.renderForm("seed", html`<label class="wide">${t("next.seed_text")}<input name="seed" required minlength="20" maxlength="256" pattern="[ -~]+" autocomplete="off"></label>
        ${this.renderText("how", { max: 500 })}${this.renderText("witnesses", { max: 500 })}`)}`;
  }

  /** Verdicts that are missing, a wider interval than wanted, a further round, and the end. */
  renderReview() {
    const { sample, too_wide: wide = [], extend_by: more = 0, plan = {} } = this.audit;
    const rounds = (plan.looks ?? 1) - this.rounds;
    return html`
      ${this.left > 0 ? html`<okno-waiting .id=${this.audit.audit} .zone=${this.zone}></okno-waiting>` : nothing}
      ${wide.length > 0 ? html`<p class="amber">! ${t("next.wide", { which: wide.map(({ indicator }) => t(`kpi.${indicator}`)).join(", "), n: formatNumber(more) })}</p>` : nothing}
      ${this.renderForm("close", this.renderText("note"))}
      ${rounds > 0 ? html`<p class="small">${t("next.rounds", { n: rounds })}</p>
        ${this.renderForm("extend", html`<label>${t("next.size")}<input type="number" name="size" required min="1" max="5000000" .value=${String(more || sample)}></label>`)}` : nothing}`;
  }

  renderIssue() {
    return html`<okno-report-form ?busy=${this.busy} .earlier=${this.earlier} @report-issue=${({ detail }) => this.run("report", detail)}></okno-report-form>`;
  }

  /** What an outsider can check; unsigned where the plan names a key that has not signed the newest edition. */
  renderBundle() {
    const unsigned = this.due === "sign";
    const take = (more) => this.run("export", { lang: language(), ...(unsigned ? { unsigned } : {}), ...more }, download);
    return html`<p class="small">${t("next.after")}${unsigned ? html` <span class="amber">! ${t("next.unsigned")}</span>` : nothing}</p>
      <div class="row"><button class=${this.due === "export" ? "primary" : ""} ?disabled=${this.busy} @click=${() => take({})}>${t("next.bundle")}</button>
        <button ?disabled=${this.busy} @click=${() => take({ with_evidence: true })}>${t("next.bundle_evidence")}</button>
        <button ?disabled=${this.busy} @click=${() => take({ public: true })}>${t("next.bundle_public")}</button></div>
      <details @toggle=${({ target }) => target.open && this.loadEarlier()}><summary>${t("next.again")}</summary>${this.renderIssue()}</details>`;
  }

  /** A further edition goes on from what the newest one says: what is not changed is said again. */
  async loadEarlier() {
    if (this.earlier) return;
    try {
      this.earlier = (await get(`${this.place}/report?format=json`)).opinion;
    } catch (error) {
      this.trouble = errorText(error);
    }
  }

  renderStep() {
    switch (this.due) {
      case "freeze": return html`${this.renderForm("freeze", this.wants.map((option) => this.renderText(accepts[option], { required: true })))}`;
      case "checkpoint": return this.renderForm("checkpoint");
      case "seed": return this.renderSeed();
      case "draw": return this.renderForm("draw");
      case "close": return this.renderReview();
      case "report": return this.renderIssue();
      default: return this.renderBundle();
    }
  }

  /** The signed checkpoint is to leave the house before the seed is known. */
  renderCheckpoint() {
    if (!["seed", "draw"].includes(this.audit.next)) return nothing;
    return html`<p class="small"><a href=${`/api/v1/${this.place}/checkpoint`} download=${`${this.audit.audit}.checkpoint`}>${t("next.hand_out")}</a></p>`;
  }

  /** What the audit goes on without, though it was planned or may come. */
  renderLacking() {
    const { state, plan = {}, gold_there: there, appeals_open: appeals } = this.audit;
    const gold = plan.gold ?? 0;
    return html`
      ${state !== "closed" && gold > there ? html`<p class="amber">! ${t("next.gold", { planned: formatNumber(gold), there: formatNumber(there) })} <a href=${link("experts")}>${t("nav.experts")} ›</a></p>` : nothing}
      ${appeals > 0 && ["close", "report", "sign", "export"].includes(this.due) ? html`<p class="amber">! ${t("next.appeals", { n: formatNumber(appeals) })} <a href=${link("appeals")}>${t("nav.appeals")} ›</a></p>` : nothing}`;
  }

  render() {
    const { audit: { state } } = this;
    // Until all is decided it is the experts' turn.
    const due = this.due === "close" && this.left > 0 ? "review" : this.due;
    if (state === "abandoned") return nothing;
    return html`<article class="card">
      <h2>${due ? `${t("next.title")}: ${named("step", due)}` : t("next.none")}</h2>
      ${due && has(`next.${due}_why`) ? html`<p class="small">${t(`next.${due}_why`)}</p>` : nothing}
      ${this.renderCheckpoint()}
      ${this.renderLacking()}
      ${this.renderStep()}
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
      ${state === "closed" ? nothing : html`<details><summary>${t("next.abandon_title")}</summary>${this.renderForm("abandon", this.renderText("reason", { required: true }))}</details>`}
    </article>`;
  }
}
customElements.define("okno-audit-next", OknoAuditNext);
