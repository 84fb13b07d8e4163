// Continuous monitoring: each programme with what its days came to, what stops them, whether the experts
// are enough, and the figures over the days drawn. Auditors declare and change them here.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post } from "./api.js";
import { errorText } from "./errors.js";
import { formatIndex, formatNumber } from "./format.js";
import { language, named, t } from "./i18n.js";
import { renderCapacity } from "./okno-programme-form.js";
import "./okno-programme-secret.js";
import { link } from "./router.js";
import { translated } from "./service-words.js";
import { formatDay } from "./time.js";

const listed = 10; // days of each programme in the list of all of them
const fresh = {}; // what a new one begins with is the form's
const shown = ["ink_personnel", "ink_office", "iel"];

class OknoProgrammes extends PageElement {
  static properties = { draws: { attribute: false }, user: {}, zone: {}, editing: { state: true }, programmes: { state: true }, figures: { state: true }, refused: { state: true } };

  static styles = [PageElement.styles, css`
    :host { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
    article { padding: 1rem; display: grid; gap: .75rem; grid-template-columns: minmax(0, 1fr); }
    .do { display: flex; gap: .5rem; }
    .head { display: flex; justify-content: space-between; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
    .few, .problem { color: var(--amber); } .refused { color: var(--invalid); }
    table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--muted); font-weight: 500; }
    th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } td.n, th.n { text-align: right; }
    .scroll { overflow-x: auto; } .facts { display: flex; flex-wrap: wrap; gap: .25rem 2rem; } .facts span span { color: var(--muted); margin-right: .375rem; }
  `];

  connectedCallback() {
    super.connectedCallback();
    this.reload();
  }

  async load() {
    const { programmes } = await get("programmes");
    const figures = {};
    for (const { programme, days } of programmes)
      if (days.some(({ state }) => state === "drawn" || state === "closed"))
        figures[programme] = await get(`programmes/${encodeURIComponent(programme)}/figures`).catch(() => null);
    return () => { Object.assign(this, { programmes, figures }); };
  }

  /** The newest days of a year in place of the newest ten. */
  async showAll(programme) {
    const { days } = await get(`programmes/${encodeURIComponent(programme)}`);
    this.programmes = this.programmes.map((one) => one.programme === programme ? { ...one, days } : one);
  }

  async pause(programme, paused) {
    try {
      await post(`programmes/${encodeURIComponent(programme)}/pause`, { paused });
      this.reload();
    } catch (error) {
      this.refused = errorText(error);
    }
  }

  renderFigures(figures) {
    if (!figures) return nothing;
    const one = (id) => {
      const { value, low, high, null_reason: reason } = figures.indicators[id];
      return html`<span><span>${t(`kpi.${id}`)}</span>${reason ? named("null", reason) : `${formatIndex(value)} [${formatIndex(low)}, ${formatIndex(high)}]`}</span>`;
    };
    return html`<div class="facts num"><span><span>${t("programme.over")}</span>${t("programme.days", { n: figures.days })}</span>${shown.filter((id) => figures.indicators[id]).map(one)}</div>`;
  }

  renderReports(programme) {
    if (!this.figures[programme]) return nothing;
    const address = (format) => `/api/v1/programmes/${encodeURIComponent(programme)}/report?format=${format}&lang=${language()}`;
    return html`<p>${t("audits.report")}: ${["html", "pdf", "xlsx", "csv", "json"].map((format, i) => html`${i ? ", " : ""}<a href=${address(format)} download>${format.toUpperCase()}</a>`)}</p>`;
  }

  renderDays(days) {
    if (days.length === 0) return html`<p class="muted">${t("programme.no_day")}</p>`;
    return html`<div class="scroll"><table class="num"><thead><tr><th>${t("programme.day")}</th><th>${t("audits.state")}</th><th class="n">${t("audits.frame")}</th>
      <th class="n">${t("audits.sample")}</th><th class="n">${t("audits.reviewed")}</th><th></th></tr></thead>
      <tbody>${days.map(({ day, audit, state, frame, sample, reviewed, problem }) => html`<tr>
        <td class="nowrap"><a href=${link("audits", { id: audit })}>${formatDay(`${day}T12:00:00Z`, "UTC")}</a></td><td>${named("step", state)}</td>
        <td class="n">${formatNumber(frame)}</td><td class="n">${formatNumber(sample)}</td><td class="n">${formatNumber(reviewed)}</td><td class="problem">${translated(problem)}</td></tr>`)}</tbody></table></div>`;
  }

  /** The declaration of one, or of a new one. */
  renderForm(row) {
    const close = () => { this.editing = null; };
    return html`<okno-programme-form .row=${row} .zone=${this.zone} @row-closed=${close} @row-saved=${() => { close(); this.reload(); }}></okno-programme-form>`;
  }

  renderDo({ programme, paused }) {
    return this.draws ? html`<span class="do"><button @click=${() => { this.editing = programme; }}>${t("programme.edit")}</button>
      <button @click=${() => this.pause(programme, !paused)}>${t(paused ? "programme.resume" : "programme.pause")}</button></span>` : nothing;
  }

  /** To one of those whose secrets are the seed. */
  renderSecret({ programme, settings, people, days }) {
    if (!this.draws || !people.includes(this.user)) return nothing;
    return html`<okno-programme-secret .programme=${programme} .user=${this.user} .zone=${settings.zone} .days=${days} @programme-changed=${this.reload}></okno-programme-secret>`;
  }

  renderProgramme(row) {
    const { programme, title, paused, settings, capacity, waiting, days, by_command: byCommand } = row;
    return html`<article class="card">
      <div class="head"><h2>${title || programme}</h2>${this.renderDo(row)}</div>
      ${this.editing === programme ? this.renderForm(row) : nothing}
      <div class="facts"><span><span>${t("programme.seed")}</span>${settings.beacon || settings.people}</span>
        <span><span>${t("programme.waiting")}</span>${formatNumber(waiting)}</span>${paused ? html`<b>${t("programme.paused")}</b>` : nothing}</div>
      ${byCommand.length ? html`<p class="few">${t("programme.by_command", { people: byCommand.join(", "), programme })}</p>` : nothing}
      ${renderCapacity(capacity)}
      ${this.renderFigures(this.figures[programme])}
      ${this.renderReports(programme)}
      ${this.renderSecret(row)}
      ${this.renderDays(days)}
      ${days.length === listed ? html`<p><button @click=${() => this.showAll(programme)}>${t("programme.all_days")}</button></p>` : nothing}
    </article>`;
  }

  renderNew() {
    if (!this.draws) return nothing;
    return this.editing === "" ? html`<article class="card">${this.renderForm(fresh)}</article>` : html`<p><button @click=${() => { this.editing = ""; }}>${t("programme.new")}</button></p>`;
  }

  render() {
    if (!this.programmes || (!this.programmes.length && !this.draws)) return nothing; // not for who looks
    return html`<h1>${t("programme.title")}</h1>
      ${this.renderNew()}
      ${this.refused ? html`<p class="refused" role="alert">${this.refused}</p>` : nothing}
      ${this.programmes.map((one) => this.renderProgramme(one))}`;
  }
}
customElements.define("okno-programmes", OknoProgrammes);
