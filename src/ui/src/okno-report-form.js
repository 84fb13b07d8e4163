// An edition of an audit's report, with what its auditor says in their own words: opinion, why the audit was made,
// and findings with who mends what by when.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";

const opinions = ["unqualified", "qualified", "adverse", "disclaimer"];
const noFinding = { finding: "", owner: "", due: "", action: "" };

class OknoReportForm extends OknoElement {
  // earlier: what the edition before says, to go on from
  static properties = { busy: { type: Boolean }, earlier: { attribute: false }, findings: { state: true } };

  static styles = [OknoElement.styles, css`
    form, fieldset { display: grid; gap: .5rem 1rem; grid-template-columns: minmax(0, 1fr); }
    fieldset { border: 0; border-top: 1px solid var(--line); padding: .5rem 0 0; margin: 0; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); }
    label { display: grid; grid-template-columns: minmax(0, 1fr); gap: .125rem; font-size: .75rem; } input, select, textarea { font-size: .875rem; }
    .row { display: flex; flex-wrap: wrap; gap: .5rem 1rem; }
    button { justify-self: start; align-self: end; }
  `];

  constructor() {
    super();
    this.findings = [];
  }

  willUpdate(changed) {
    if (changed.has("earlier") && this.earlier) this.findings = (this.earlier.findings ?? []).map((one) => ({ ...noFinding, ...one }));
  }

  submit(event) {
    event.preventDefault();
    const given = [...new FormData(event.target)].filter(([name, value]) => !name.includes(".") && value.trim() !== "");
    const findings = this.findings.filter(({ finding }) => finding.trim() !== "");
    this.emit("report-issue", { ...Object.fromEntries(given.map(([name, value]) => [name, value.trim()])), ...(findings.length ? { findings } : {}) });
  }

  set(at, name, value) {
    this.findings = this.findings.map((one, place) => (place === at ? { ...one, [name]: value } : one));
  }

  renderFinding(one, at) {
    const field = (name, type = "text") => html`<label>${t(`report.${name}`)}<input type=${type} name=${`findings.${name}`} maxlength="1000" autocomplete="off" ?required=${name === "finding"}
      .value=${one[name]} @input=${(event) => this.set(at, name, event.target.value)}></label>`;
    return html`<fieldset>${field("finding")}${field("owner")}${field("due", "date")}${field("action")}
      <button type="button" class="quiet" @click=${() => { this.findings = this.findings.filter((_, place) => place !== at); }}>${t("report.drop")}</button></fieldset>`;
  }

  render() {
    const { kind = "", statement = "", objective = "" } = this.earlier ?? {};
    return html`<form @submit=${this.submit}>
      <label>${t("report.opinion")}<select name="opinion"><option value="">${t("report.opinion_none")}</option>
        ${opinions.map((name) => html`<option value=${name} ?selected=${name === kind}>${t(`opinion.${name}`)}</option>`)}</select></label>
      <label>${t("report.statement")}<textarea name="statement" rows="2" maxlength="2000" .value=${statement ?? ""}></textarea></label>
      <label>${t("report.objective")}<input name="objective" maxlength="500" autocomplete="off" .value=${objective ?? ""}></label>
      ${this.findings.map((one, at) => this.renderFinding(one, at))}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${t("audits.report_issue")}</button>
        <button type="button" ?disabled=${this.findings.length >= 200} @click=${() => { this.findings = [...this.findings, noFinding]; }}>${t("report.add")}</button></div>
    </form>`;
  }
}
customElements.define("okno-report-form", OknoReportForm);
