// The plan of an audit: what is fixed before anything is drawn. It is never changed later, so it asks twice.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { periodOf } from "./filters.js";
import { t } from "./i18n.js";
import { keyName } from "./okno-audit-keys.js";
import "./okno-sample-size.js";
import { addDays, localDate } from "./time.js";

const frames = ["surveys", "spontaneous", "transactions", "minutes"];
const strata = ["site", "point", "day", "answer"];

class OknoAuditPlan extends OknoElement {
  static properties = { zone: {}, audits: { attribute: false }, keys: { attribute: false }, user: {}, open: { state: true }, draft: { state: true }, asking: { state: true }, busy: { state: true }, trouble: { state: true } };

  static styles = [OknoElement.styles, css`
    form { padding: 1rem; display: grid; gap: .75rem; }
    .fields { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    label.tick { display: flex; gap: .375rem; align-items: center; min-height: 2rem; font-size: .875rem; }
    input, select { font-size: .875rem; } input[type="number"] { width: 7rem; }
    .wide { flex: 1 1 16rem; }
    fieldset { border: 0; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; }
    legend { font-size: .75rem; padding: 0; }
    summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
    details .fields { padding-top: .5rem; }
    .small { font-size: .75rem; color: var(--muted); }
    .trouble { color: var(--invalid); } .amber { color: var(--amber); }
  `];

  /** Last month, of a size that shows a share of 5 % to +-2.5 %. */
  start() {
    const today = localDate(Date.now(), this.zone);
    const to = addDays(`${today.slice(0, 7)}-01`, -1);
    this.draft = { audit: to.slice(0, 7), title: "", frame: "surveys", from: `${to.slice(0, 7)}-01`, to, size: 300, looks: 1, double: 0.1, silent: "sampled", invalid: "none", strata: ["site"],
      max_half_width: "", escalate_more: 0.1, escalate_census: 0.25, escalate_count: 10, accept_retention: "", accept_one_person: "", auditor: this.ownKey?.fingerprint ?? "", repeats: "", gold: 0, show_answer: false };
    Object.assign(this, { open: true, trouble: "", asking: false });
  }

  get standing() { return this.keys.filter(({ revoked_at: revoked }) => !revoked); }

  /** The newest that the reader registered. */
  get ownKey() { return this.standing.findLast(({ auditor }) => auditor === this.user); }

  /** Who signs is fixed by the plan, so a key that comes later is chosen at once. */
  willUpdate(changed) {
    if (changed.has("keys") && this.open && !this.draft.auditor && this.ownKey) this.set("auditor", this.ownKey.fingerprint);
  }

  set(name, value) {
    this.draft = { ...this.draft, [name]: value };
    Object.assign(this, { asking: false, trouble: "" });
  }

  get request() {
    const { from, to, strata: apart, max_half_width: width, accept_retention: accepted, accept_one_person: alone, auditor, repeats, ...rest } = this.draft;
    return { ...rest, ...periodOf({ from, to }, this.zone), strata: apart.join(",") || "none", ...(width === "" ? {} : { max_half_width: Number(width) }),
      accept_retention: accepted.trim() || null, accept_one_person: alone.trim() || null, auditor: auditor || null, repeats: repeats || null };
  }

  async submit(event) {
    event.preventDefault();
    if (!this.asking) {
      Object.assign(this, { asking: true, trouble: "" });
      return;
    }
    this.busy = true;
    try {
      const { audit } = await post("audits", this.request);
      this.open = false;
      this.emit("audit-planned", audit);
    } catch (error) {
      this.trouble = errorText(error);
    } finally {
      Object.assign(this, { busy: false, asking: false });
    }
  }

  renderInput(name, more = {}) {
    const { type = "text", ...bounds } = more;
    return html`<label class=${bounds.wide ? "wide" : ""}>${t(`plan.${name}`)}<input type=${type} name=${name} autocomplete="off" .value=${String(this.draft[name])} ?required=${bounds.required}
      min=${bounds.min ?? nothing} max=${bounds.max ?? nothing} step=${bounds.step ?? nothing} maxlength=${bounds.length ?? nothing} pattern=${bounds.pattern ?? nothing}
      @input=${(event) => this.set(name, type === "number" && event.target.value !== "" ? Number(event.target.value) : event.target.value)}></label>`;
  }

  renderChoice(name, options) {
    return html`<label>${t(`plan.${name}`)}<select name=${name} @change=${(event) => this.set(name, event.target.value)}>
      ${options.map(([id, text]) => html`<option value=${id} ?selected=${id === this.draft[name]}>${text}</option>`)}</select></label>`;
  }

  renderStrata() {
    const { strata: chosen } = this.draft;
    const turn = (word, on) => this.set("strata", strata.filter((one) => (one === word ? on : chosen.includes(one))));
    return html`<fieldset><legend>${t("plan.strata")}</legend>${strata.map((word) => html`
      <label class="tick"><input type="checkbox" name=${`strata-${word}`} .checked=${chosen.includes(word)} @change=${(event) => turn(word, event.target.checked)}>${t(`plan.by_${word}`)}</label>`)}</fieldset>`;
  }

  renderMore() {
    const earlier = [["", "–"], ...this.audits.map(({ audit, title }) => [audit, title || audit])];
    return html`<details><summary>${t("plan.more")}</summary><div class="fields">
      ${this.renderInput("looks", { type: "number", min: 1, max: 100 })}
      ${this.renderInput("max_half_width", { type: "number", min: 0.001, max: 0.999, step: "any" })}
      ${this.renderInput("double", { type: "number", min: 0, max: 1, step: "any" })}
      ${this.renderInput("gold", { type: "number", min: 0, max: 10000 })}
      ${this.renderInput("escalate_more", { type: "number", required: true, min: 0.001, max: 1, step: "any" })}
      ${this.renderInput("escalate_count", { type: "number", required: true, min: 1, max: 5000 })}
      ${this.renderInput("escalate_census", { type: "number", required: true, min: 0.001, max: 1, step: "any" })}
      ${this.renderChoice("silent", [["sampled", t("plan.silent_sampled")], ["known", t("plan.silent_known")]])}
      ${this.renderChoice("invalid", [["none", t("plan.invalid_none")], ["silent", t("plan.invalid_silent")]])}
      ${this.renderChoice("repeats", earlier)}
      ${this.renderInput("accept_retention", { length: 1000, wide: true })}
      ${this.renderInput("accept_one_person", { length: 1000, wide: true })}
      <label class="tick"><input type="checkbox" name="show_answer" .checked=${this.draft.show_answer} @change=${(event) => this.set("show_answer", event.target.checked)}>${t("plan.show_answer")}</label>
    </div></details>`;
  }

  /** Of surveys it is known how many there are. */
  renderSizes() {
    const { from, to, frame } = this.draft;
    if (frame !== "surveys" || !from || !to || from > to) return nothing;
    const period = periodOf({ from, to }, this.zone);
    return html`<okno-sample-size .from=${period.from} .to=${period.to} @size-take=${({ detail }) => this.set("size", detail)}></okno-sample-size>`;
  }

  /** Without a key nobody can sign what comes of it: the plan cannot be told later. */
  renderSigner() {
    const keys = this.standing.map((key) => [key.fingerprint, `${key.auditor} · ${keyName(key)}`]);
    return html`<div class="fields">${this.renderChoice("auditor", [["", t("plan.auditor_nobody")], ...keys])}
      ${this.draft.auditor ? nothing : html`<p class="small amber">! ${t(keys.length ? "plan.auditor_none" : "plan.auditor_first")}</p>`}</div>`;
  }

  render() {
    if (!this.open) return html`<button class="primary" @click=${this.start}>${t("plan.new")}</button>`;
    return html`<form class="card" @submit=${this.submit}>
      <h2>${t("plan.new")}</h2>
      <div class="fields">
        ${this.renderInput("audit", { required: true, length: 64, pattern: "[A-Za-z0-9_\\-]+" })}
        ${this.renderInput("title", { length: 200, wide: true })}
        ${this.renderInput("from", { type: "date", required: true })}
        ${this.renderInput("to", { type: "date", required: true, min: this.draft.from || nothing })}
        ${this.renderInput("size", { type: "number", required: true, min: 1, max: 5000000 })}
      </div>
      ${this.renderSizes()}
      <div class="fields">${this.renderChoice("frame", frames.map((frame) => [frame, t(`plan.frame_${frame}`)]))}${this.renderStrata()}</div>
      ${this.renderSigner()}
      ${this.renderMore()}
      <p class="small">${t("plan.hint")}</p>
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
      ${this.asking ? html`<p role="status">${t("plan.sure")}</p>` : nothing}
      <div class="fields"><button class="primary" ?disabled=${this.busy}>${t(this.asking ? "plan.sure_do" : "plan.do")}</button>
        <button type="button" @click=${() => { this.open = false; }}>${t("attribution.cancel")}</button></div>
    </form>`;
  }
}
customElements.define("okno-audit-plan", OknoAuditPlan);
