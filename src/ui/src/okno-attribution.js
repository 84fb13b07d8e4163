// Who a survey is counted for: what was decided so far, and a manager's new decision.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { get, post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { formatWhen } from "./time.js";

class OknoAttribution extends OknoElement {
  static properties = {
    survey: { attribute: false }, shift: { attribute: false }, decisions: { attribute: false }, zone: {}, may: { type: Boolean }, nameOf: { attribute: false },
    open: { state: true }, employees: { state: true }, problem: { state: true }, busy: { state: true },
  };

  static styles = [OknoElement.styles, css`
    section { padding: .75rem; }
    h2 { font-size: .875rem; margin-bottom: .5rem; }
    li { padding: .375rem 0; border-top: 1px solid var(--line); display: grid; gap: .125rem; }
    .line { display: flex; justify-content: space-between; gap: .5rem; }
    .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    ul { margin-top: .5rem; }
    form { display: grid; gap: .5rem; margin-top: .5rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    .row { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .5rem; }
    .problem { color: var(--invalid); }
    .small.warn { color: var(--amber); }
  `];

  name(employee) {
    return employee ? this.nameOf(employee) : t("kpi.unassigned");
  }

  renderWho(employee) {
    return html`<span title=${employee ?? nothing}>${this.name(employee)}</span>`;
  }

  get moved() { return this.decisions?.length > 0 && !this.decisions.at(-1).undone; }

  async start(mode) {
    this.open = mode;
    this.problem = "";
    if (mode !== "move" || this.employees) return;
    try {
      this.employees = (await get("employees")).employees;
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  async decide(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    const reason = form.get("reason").trim();
    const body = this.open === "undo" ? { undo: true, reason } : { employee: form.get("employee"), reason };
    this.busy = true;
    try {
      await post(`surveys/${encodeURIComponent(this.survey.id)}/attribution`, body);
      this.open = "";
      this.emit("attributed");
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  renderDecision(one) {
    return html`<li><span class="line"><b>${one.undone ? t("attribution.undone") : this.renderWho(one.employee)}</b><span class="small">${one.author}</span></span>
      ${one.on_shift === false && !one.undone ? html`<span class="small warn">${t("attribution.not_on_shift")}</span>` : nothing}
      <span>${t("review.question", { text: one.reason })}</span><span class="small num">${formatWhen(one.at, this.zone)}</span></li>`;
  }

  renderForm() {
    const choices = (this.employees ?? []).filter(({ employee }) => employee !== this.survey.employee);
    return html`<form @submit=${this.decide}>
      ${this.open === "move" ? html`<label>${t("attribution.to")}<select name="employee" required>
        ${choices.map(({ employee, name }) => html`<option value=${employee}>${name ? `${name} (${employee})` : employee}</option>`)}
        ${this.survey.employee ? html`<option value="unassigned">${t("kpi.unassigned")}</option>` : nothing}</select></label>` : nothing}
      <label>${t("attribution.reason")}<input name="reason" required maxlength="1000" autocomplete="off"></label>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${this.open === "undo" ? t("attribution.undo") : t("attribution.move")}</button>
        <button type="button" @click=${() => { this.open = ""; }}>${t("attribution.cancel")}</button></div></form>`;
  }

  render() {
    const { decisions = [], shift, survey } = this;
    return html`<section class="card"><h2>${t("attribution.title")}</h2>
      <p>${this.renderWho(survey.employee)}${this.moved ? html` <span class="muted">· ${t("attribution.shift", { employee: this.name(shift) })}</span>` : nothing}</p>
      ${decisions.length ? html`<ul>${decisions.map((one) => this.renderDecision(one))}</ul>` : nothing}
      ${!this.may ? nothing : this.open ? this.renderForm() : html`<div class="row">
        <button @click=${() => this.start("move")}>${t("attribution.move_to")}</button>
        ${this.moved ? html`<button @click=${() => this.start("undo")}>${t("attribution.undo")}</button>` : nothing}</div>`}
    </section>`;
  }
}
customElements.define("okno-attribution", OknoAttribution);
