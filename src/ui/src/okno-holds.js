// What is kept from retention: the footage of an audit, a survey or a time, until somebody lets go of it.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { dayStart, addDays, formatDay, formatPeriod } from "./time.js";

class OknoHolds extends PageElement {
  // audit, survey: of this one only; without both all of them, and days to keep at one of the sites
  static properties = { audit: {}, survey: {}, sites: { attribute: false }, zone: {}, holds: { state: true }, busy: { state: true }, trouble: { state: true }, letting: { state: true } };

  static styles = [PageElement.styles, css`
    article { padding: 1rem; display: grid; gap: .75rem; grid-template-columns: minmax(0, 1fr); }
    ul { list-style: none; margin: 0; padding: 0; }
    li { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; padding: .5rem 0; border-top: 1px solid var(--line); }
    li:first-child { border-top: 0; padding-top: 0; }
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; } label.wide { flex: 1 1 16rem; } input { font-size: .875rem; }
    .end { margin-left: auto; } .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    .trouble { color: var(--invalid); }
  `];

  connectedCallback() {
    super.connectedCallback();
    this.reload();
  }

  async load() {
    const { holds } = await get("holds");
    return () => { this.holds = holds.filter((one) => (!this.audit || one.audit === this.audit) && (!this.survey || one.survey === this.survey)); };
  }

  async act(event, path, body) {
    const form = event.target;
    event.preventDefault();
    Object.assign(this, { busy: true, trouble: "" });
    const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== ""));
    const zone = this.sites?.find(({ site }) => site === fields.site)?.time_zone ?? this.zone;
    if (fields.from) fields.from = dayStart(fields.from, zone);
    for (const end of ["to", "until"]) if (fields[end]) fields[end] = dayStart(addDays(fields[end], 1), zone);
    try {
      await post(path, { ...body, ...fields });
      form.reset();
      this.letting = null;
      await this.reload();
    } catch (error) {
      this.trouble = errorText(error);
    } finally {
      this.busy = false;
    }
  }

  what({ survey, audit, site, from, to }) {
    const parts = [survey, audit, site, from && to ? formatPeriod(from, to, this.zone) : ""].filter(Boolean);
    return parts.join(" · ");
  }

  renderHold(one) {
    const over = one.released_at !== null;
    return html`<li><b>${this.what(one)}</b><span>${one.reason}</span>
      <span class="small">${formatDay(one.at, this.zone)} · ${one.author}${one.until ? ` · ${t("holds.until", { day: formatDay(new Date(Date.parse(one.until) - 1), this.zone) })}` : ""}${over ? ` · ${t("holds.over", { day: formatDay(one.released_at, this.zone), by: one.released_by })}` : ""}</span>
      ${over ? nothing : html`<span class="end">${this.letting === one.hold ? html`<form @submit=${(event) => this.act(event, `holds/${one.hold}/release`, {})}>
        <label>${t("holds.why")}<input name="reason" required maxlength="1000" autocomplete="off"></label><button ?disabled=${this.busy}>${t("holds.release")}</button></form>`
    : html`<button class="quiet" @click=${() => { this.letting = one.hold; }}>${t("holds.release")}</button>`}</span>`}</li>`;
  }

  renderTime() {
    const day = (name) => html`<label>${t(`holds.${name}`)}<input type="date" name=${name} required></label>`;
    return html`<label>${t("holds.site")}<select name="site"><option value="">${t("holds.all_sites")}</option>
      ${this.sites.map(({ site, name }) => html`<option value=${site}>${name}</option>`)}</select></label>${day("from")}${day("to")}`;
  }

  renderForm() {
    const { audit, survey } = this;
    const keep = audit ? "keep" : survey ? "keep_survey" : "keep_time";
    return html`<form @submit=${(event) => this.act(event, "holds", audit ? { audit } : survey ? { survey } : {})}>
      ${audit || survey ? nothing : this.renderTime()}
      <label class="wide">${t("holds.why")}<input name="reason" required maxlength="1000" autocomplete="off"></label>
      <label>${t("holds.last_day")}<input type="date" name="until"></label><button ?disabled=${this.busy}>${t(`holds.${keep}`)}</button></form>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.holds) return nothing;
    return html`<article class="card"><h2>${t("holds.title")}</h2>
      ${this.holds.length ? html`<ul>${this.holds.map((one) => this.renderHold(one))}</ul>` : html`<p class="small">${t(this.audit || this.survey ? "holds.none_own" : "holds.none")}</p>`}
      ${this.renderForm()}
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}</article>`;
  }
}
customElements.define("okno-holds", OknoHolds);
