// Pay periods: what was closed, each employee's statement, and what later corrections made of it.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get } from "./api.js";
import { errorText } from "./errors.js";
import { formatIndex, formatNumber } from "./format.js";
import { named, t } from "./i18n.js";
import { link, replaceRoute } from "./router.js";
import { formatPeriod, formatWhen } from "./time.js";
import "./okno-notice.js";
import "./okno-period-close.js";
import { renderChange, stateSigns } from "./okno-statement.js";

class OknoPeriods extends PageElement {
  static properties = { me: { attribute: false }, list: { state: true }, data: { state: true }, sites: { state: true }, checked: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 80rem; margin: 0 auto; align-content: start; }
    .frame { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th { text-align: left; font-size: .75rem; font-weight: 600; color: var(--muted); }
    th, td { padding: .375rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
    tr:last-child td { border-bottom: 0; }
    .number { text-align: right; }
    .payable { color: var(--valid); } .too_few, .under_appeal { color: var(--amber); } .not_reliable { color: var(--invalid); }
    .state { white-space: nowrap; font-weight: 600; }
    .note, .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    .head, .row { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
    .row { gap: .5rem; }
    section { padding: .75rem 1rem; display: grid; gap: .5rem; }
    section h2 { font-size: .875rem; }
    .changed { border-top: 1px solid var(--line); padding-top: .5rem; }
    .wait { height: 10rem; }
    @media print { .screen { display: none !important; } }
  `];

  async load() {
    if (!this.id) {
      const [{ periods }, { sites }] = await Promise.all([get("periods"), get("sites")]);
      return () => { Object.assign(this, { list: periods, sites, data: null, checked: null }); };
    }
    const id = encodeURIComponent(this.id);
    const [period, { adjustments }, { sites }] = await Promise.all([get(`periods/${id}`), get(`periods/${id}/adjustments`), get("sites")]);
    return () => { Object.assign(this, { data: { ...period, adjustments }, sites, checked: null }); };
  }

  get mayClose() { return ["manager", "administrator"].includes(this.me?.role); }

  siteName(id) { return id ? this.sites.find(({ site }) => site === id)?.name ?? id : t("pay.all_sites"); }

  async verify() {
    this.checked = { busy: true };
    try {
      this.checked = await get(`periods/${this.data.period}/verify`);
    } catch (error) {
      this.checked = { equal: false, message: errorText(error) };
    }
  }

  renderStates(states) {
    return Object.entries(states).filter(([, count]) => count > 0).map(([state, count]) => html`
      <div class=${state}><span aria-hidden="true">${stateSigns[state]}</span> ${named("pay", state)} ${formatNumber(count)}</div>`);
  }

  renderPeriods() {
    return html`
      <h1>${t("nav.periods")}</h1>
      ${this.list.length === 0 ? html`<okno-notice .heading=${t("pay.empty")} .text=${t("pay.empty_next")}></okno-notice>` : html`
      <div class="card frame"><table>
        <thead><tr>${["when", "place", "statements", "closed"].map((name) => html`<th scope="col">${t(`pay.${name}`)}</th>`)}</tr></thead>
        <tbody>${this.list.map((one) => html`<tr>
          <td class="num"><a href=${link("periods", { id: String(one.period) })}>${formatPeriod(one.from, one.to, one.zone)}</a></td>
          <td>${this.siteName(one.site)}</td><td>${this.renderStates(one.states)}</td>
          <td class="num">${formatWhen(one.closed_at, one.zone)}<div class="note">${one.author}</div></td></tr>`)}</tbody></table></div>`}
      ${this.mayClose ? html`<okno-period-close .sites=${this.sites} .limited=${Boolean(this.me?.sites)} .after=${this.list}
        @period-closed=${(event) => replaceRoute("periods", { id: String(event.detail) })}></okno-period-close>` : nothing}`;
  }

  renderEmployee(one) {
    const index = (id) => formatIndex(one.indicators?.[id]?.excluded);
    const open = link("periods", { id: String(one.period), query: { employee: one.employee } });
    const later = this.data.adjustments.filter(({ employee, carried_by: by }) => employee === one.employee && by === null).length;
    return html`<tr>
      <td><a href=${open}>${one.employee === "unassigned" ? t("kpi.unassigned") : one.name || one.employee}</a>${one.name ? html`<div class="note">${one.employee}</div>` : nothing}</td>
      <td><span class="state ${one.state}"><span aria-hidden="true">${stateSigns[one.state]}</span> ${named("pay", one.state)}</span>
        ${one.reasons.length ? html`<div class="note">${one.reasons.map((name) => named("pay_reason", name)).join(", ")}</div>` : nothing}</td>
      <td class="num number">${formatNumber(one.counts?.n ?? 0)}</td>
      ${["ink_personnel", "ink_office", "iel"].map((id) => html`<td class="num number">${index(id)}</td>`)}
      <td class="num number">${one.adjustments.length ? t("pay.from_before", { n: one.adjustments.length }) : ""}${later ? html`<div class="note">${t("pay.open_changes", { n: later })}</div>` : nothing}</td></tr>`;
  }

  renderChecked() {
    if (!this.checked || this.checked.busy) return nothing;
    return this.checked.equal ? html`<span class="payable" role="status">✓ ${t("pay.equal")}</span>`
      : html`<span class="not_reliable" role="alert">✕ ${this.checked.message}</span>`;
  }

  renderAdjustments() {
    const { adjustments, statements, zone } = this.data;
    const name = (id) => statements.find(({ employee }) => employee === id)?.name || id;
    return html`<section class="card screen"><h2>${t("pay.adjustments")}</h2>
      ${adjustments.length === 0 ? html`<p class="muted">${t("pay.no_adjustments")}</p>` : adjustments.map((one) => html`
        <div class="changed"><b>${name(one.employee)}</b> <span class="note">${one.carried_by ? t("pay.carried_by", { id: one.carried_by }) : t("pay.still_open")}</span>
          ${renderChange(one, zone)}</div>`)}</section>`;
  }

  renderPeriod() {
    const { data } = this;
    const chosen = data.statements.find(({ employee }) => employee === this.query?.employee);
    if (chosen) return html`<div class="row screen"><a href=${link("periods", { id: String(data.period) })}>‹ ${t("pay.all_statements")}</a>
      <button @click=${() => print()}>${t("pay.print")}</button></div><okno-statement .statement=${chosen}></okno-statement>`;
    return html`
      <div class="head"><a class="screen" href=${link("periods")}>‹ ${t("nav.periods")}</a>
        <h1 class="num">${formatPeriod(data.from, data.to, data.zone)}</h1><span>${this.siteName(data.site)}</span></div>
      <div class="row screen"><button @click=${this.verify} ?disabled=${this.checked?.busy}>${t("pay.verify")}</button>
        <a class="button" href=${`/api/v1/periods/${data.period}/statements.csv`} download>CSV</a>
        <button @click=${() => print()}>${t("pay.print")}</button>${this.renderChecked()}</div>
      <div class="card frame"><table>
        <thead><tr><th scope="col">${t("surveys.employee")}</th><th scope="col">${t("pay.state")}</th><th scope="col" class="number">n</th>
          ${["ink_personnel", "ink_office", "iel"].map((id) => html`<th scope="col" class="number">${t(`kpi.${id}`)}</th>`)}
          <th scope="col" class="number">${t("pay.adjustments")}</th></tr></thead>
        <tbody>${data.statements.map((one) => this.renderEmployee(one))}</tbody></table></div>
      ${this.renderAdjustments()}
      <p class="small">${t("pay.closed_by", { when: formatWhen(data.closed_at, data.zone), who: data.author })}${data.accepted ? ` · ${t("pay.accepted", { reason: data.accepted })}` : ""}<br>SHA-256 ${data.sha256}</p>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (this.id ? !this.data || String(this.data.period) !== this.id : !this.list) return html`<div class="skeleton wait"></div>`;
    return this.id ? this.renderPeriod() : this.renderPeriods();
  }
}
customElements.define("okno-periods", OknoPeriods);
