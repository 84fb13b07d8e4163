// The manager's page: each index raw, without invalid, and estimated, side by side; one row a group;
// behind each figure its surveys.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, withQuery } from "./api.js";
import { askedPeriod, latestAudit, loadAudits, pointName, siteName, siteOfPoint, unknownFilter, zoneOf } from "./filters.js";
import { formatIndex, formatNumber, formatShare } from "./format.js";
import { language, named, t } from "./i18n.js";
import { loadReasons, reasonName } from "./reasons.js";
import { link, replaceRoute } from "./router.js";
import { csvOf, unitOf } from "./series.js";
import { addDays, formatDay, formatWhen } from "./time.js";
import "./okno-dumbbell.js";
import "./okno-filters.js";
import "./okno-notice.js";
import "./okno-trend.js";

const main = ["ink_personnel", "ink_office", "iel"];
const groupings = ["group", "site", "point", "employee", "question", "hour", "day", "week", "month"];
const places = ["site", "point", "employee", "question"];
const calendar = ["hour", "day", "week", "month"];
/** Where a row leads: to what it consists of. */
const deeper = { group: "site", site: "point", point: "employee", employee: "day", question: "day", month: "day", week: "day", day: "hour" };

class OknoIndicators extends PageElement {
  static properties = { data: { state: true }, me: { attribute: false } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 110rem; margin: 0 auto; }
    .legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; font-size: .75rem; color: var(--muted); }
    .legend b { color: var(--text); font-weight: 600; }
    .rows { display: grid; gap: .5rem; }
    .row { display: grid; grid-template-columns: minmax(10rem, 13rem) minmax(0, 1fr); gap: 1rem 1.5rem; padding: .75rem 1rem; align-items: start; }
    .indexes { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem 1.5rem; }
    .group { display: grid; gap: .25rem; align-content: start; }
    .group h2 a { color: inherit; }
    .facts { display: flex; flex-wrap: wrap; gap: 0 .75rem; font-size: .75rem; color: var(--muted); }
    .index h3 { display: flex; justify-content: space-between; gap: .5rem; color: var(--text); }
    .index h3 .muted { font-weight: 400; }
    .figures { display: grid; grid-template-columns: 1fr 1.6fr 1fr; gap: 0 .5rem; }
    .figures dt { font-size: .6875rem; color: var(--muted); grid-row: 1; }
    .figures dd { grid-row: 2; font-weight: 600; }
    .figures .main { color: var(--accent); }
    .small { font-size: .6875rem; color: var(--muted); min-height: 1rem; }
    .warn { color: var(--amber); }
    .below { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; border-top: 1px solid var(--line); padding-top: .5rem; font-size: .8125rem; }
    .reason { display: inline-flex; gap: .375rem; }
    details { flex-basis: 100%; }
    summary { cursor: pointer; color: var(--muted); }
    .more { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: .25rem 2rem; margin-top: .5rem; }
    .more div { display: flex; justify-content: space-between; gap: .5rem; border-bottom: 1px solid var(--line); padding: .125rem 0; }
    .wait { height: 9rem; }
    .trends { padding: .75rem 1rem; display: grid; gap: .5rem; }
    okno-trend { min-width: 0; }
    .breaks { display: flex; flex-wrap: wrap; gap: 0 1.5rem; }
    .sheets { font-size: .75rem; color: var(--muted); }
    @media (max-width: 48rem) { .row { grid-template-columns: minmax(0, 1fr); } }
  `];

  async load() {
    const [{ sites }, audits] = await Promise.all([get("sites"), loadAudits(this.me), loadReasons()]);
    const zone = zoneOf(sites, this.query.site);
    const { days, wrong: period } = askedPeriod(this.query, audits, zone);
    const by = this.by;
    const audit = this.auditOf(audits);
    const { k, compare } = this.query;
    const wrong = period || unknownFilter(this.query, sites) || this.wrongWord();
    if (wrong) return () => { this.data = { sites, audits, zone, days, by, audit, wrong, answer: { k, groups: [] }, trend: {} }; };
    const asked = { from: days.from, to: addDays(days.to, 1), audit, k }; // days of each site's own calendar
    const unit = unitOf(days.from, days.to);
    const ask = (words, more = {}) => get(withQuery("indicators", { ...asked, by: this.words(words), ...more }));
    const sheet = { ...asked, by: this.words(by), ...Object.fromEntries(places.map((word) => [word, this.query[word]])) };
    const [answer, trend] = await Promise.all([ask(by, { compare: this.mayCompare(by, compare) ? compare : "" }), ask(unit)]);
    [answer, trend].forEach((one) => { one.groups = one.groups.filter((row) => this.isAsked(row)); });
    return () => { this.data = { sites, audits, zone, days, by, audit, answer, trend, unit, sheet }; };
  }

  get by() { return this.query.by === "none" ? "" : this.query.by || "site"; }

  wrongWord() {
    const { compare } = this.query;
    if (this.by && !groupings.includes(this.by)) return t("filter.no_grouping", { id: this.by });
    return compare && !["before", "site"].includes(compare) ? t("filter.no_comparison", { id: compare }) : "";
  }

  /** Periods are compared as a whole; the others at a site are those of its employees or points. */
  mayCompare(by, compare) {
    if (compare === "site") return ["employee", "point"].includes(by) && !this.query.point && !this.query.employee && !this.query.question;
    return compare === "before" && !calendar.includes(by);
  }

  /** What to group by, so that the filters can be told apart. */
  words(by) {
    const others = this.query.compare === "site" && this.mayCompare(by, "site");
    return [...places.filter((word) => (this.query[word] || (others && word === "site")) && word !== by), ...(by ? [by] : [])].join(",");
  }

  isAsked({ group }) {
    return places.every((word) => !this.query[word] || group[word] === this.query[word]);
  }

  /** The audit whose sample estimates: the asked one, else the latest when no other period is asked. */
  auditOf(audits) {
    if (this.query.audit) return this.query.audit === "none" ? "" : this.query.audit;
    return this.query.from ? "" : latestAudit(audits)?.audit ?? "";
  }

  change(fields) {
    const query = { ...this.asked(), ...fields };
    const together = ["employee", "point"].includes(query.by); // who has others at the site
    if (fields.compare === "site" && !together) query.by = "employee";
    else if (query.compare === "site" && !together) query.compare = "";
    replaceRoute("indicators", { query });
  }

  /** Everything that is asked now, also what the address leaves to us. */
  asked() {
    const { days, by, audit, audits } = this.data;
    return { ...this.query, ...days, by: by || "none", audit: audits.length ? audit || "none" : "" };
  }

  fields() {
    const { sites, audits } = this.data;
    const all = ["", t("filter.all")];
    return [
      { name: "from", label: t("filter.from"), type: "date" },
      { name: "to", label: t("filter.to"), type: "date" },
      { name: "by", label: t("filter.by"), options: [["none", t("kpi.everything")], ...groupings.map((one) => [one, t(`by.${one}`)])] },
      { name: "site", label: t("filter.site"), options: [all, ...sites.map(({ site, name }) => [site, name])] },
      { name: "point", label: t("filter.point"), options: [all, ...this.pointOptions()] },
      ...(this.query.question ? [{ name: "question", label: t("filter.question"), options: [all, [this.query.question, this.questionName(this.query.question)]] }] : []),
      ...(this.query.employee ? [{ name: "employee", label: t("filter.employee"), options: [all, [this.query.employee, this.employeeName(this.query.employee)]] }] : []),
      { name: "compare", label: t("filter.compare"), options: ["", "before", "site"].map((one) => [one, t(`compare.${one || "none"}`)]) },
      ...(audits.length ? [{ name: "audit", label: t("filter.audit"), options: [["none", t("filter.none")], ...audits.map(({ audit, title }) => [audit, title])] }] : []),
      { name: "k", label: t("filter.k"), type: "number", min: 0, max: 1, step: 0.05 },
    ];
  }

  questionName(id) {
    const { answer, trend } = this.data;
    return answer.names?.question?.[id] ?? trend.names?.question?.[id] ?? (id || t("kpi.unassigned"));
  }

  pointOptions() {
    return this.data.sites.filter(({ site }) => !this.query.site || site === this.query.site)
      .flatMap(({ points, name }) => points.map((one) => [one.point, this.query.site ? one.name : `${name}, ${one.name}`]));
  }

  employeeName(id) {
    return !id || id === "unassigned" ? t("kpi.unassigned") : this.data.answer.names?.employee?.[id] ?? this.data.trend.names?.employee?.[id] ?? id;
  }

  /** The filters that lead to the surveys behind a group. */
  groupQuery({ site, point, employee, question, hour, day, week, month }) {
    const { days, sites } = this.data;
    const [first, last] = day || hour ? [(day ?? hour).slice(0, 10), (day ?? hour).slice(0, 10)]
      : week ? [week, addDays(week, 6)] : month ? [`${month}-01`, addDays(`${addDays(`${month}-01`, 31).slice(0, 7)}-01`, -1)] : [days.from, days.to];
    return {
      from: first < days.from ? days.from : first, to: last > days.to ? days.to : last,
      site: site ?? (point ? siteOfPoint(sites, point) : this.query.site), point: point ?? this.query.point,
      employee: employee ?? this.query.employee, question: question ?? this.query.question,
    };
  }

  groupName(group) {
    const { sites, by } = this.data;
    const value = group[by];
    switch (by) {
      case "": return places.map((word) => group[word]).filter(Boolean).length ? this.scopeName() : t("kpi.everything");
      case "site": return siteName(sites, value);
      case "point": return `${siteName(sites, siteOfPoint(sites, value))}, ${pointName(sites, value)}`;
      case "employee": return this.employeeName(value);
      case "question": return this.questionName(value);
      case "day": case "week": return formatDay(`${value}T12:00:00Z`, "UTC");
      case "hour": return `${formatDay(`${value.slice(0, 10)}T12:00:00Z`, "UTC")}, ${value.slice(11)}:00`;
      default: return value || t("kpi.unassigned");
    }
  }

  /** What the filters leave: a site, a point, an employee. */
  scopeName() {
    const { sites } = this.data;
    const { site, point, employee, question } = this.query;
    return [site ? siteName(sites, site) : "", point ? pointName(sites, point) : "", employee ? this.employeeName(employee) : "", question ? this.questionName(question) : ""]
      .filter(Boolean).join(", ") || t("kpi.everything");
  }

  /** Rows share one scale per index, so that they can be compared. */
  scaleOf(name) {
    const values = this.data.answer.groups.map(({ indicators }) => indicators[name]).filter(Boolean)
      .flatMap((one) => [one.raw, one.excluded, ...(one.band ?? []), one.estimated?.low, one.estimated?.high])
      .filter((value) => typeof value === "number");
    if (values.length === 0) return null;
    const pad = 0.02;
    const floor = name === "iel" ? -1 : 0;
    return [Math.max(floor, Math.min(...values) - pad), Math.min(1, Math.max(...values) + pad)];
  }

  renderIndex(name, one, scale) {
    const heading = html`<h3><span title=${t(`kpi.${name}_about`)}>${t(`kpi.${name}`)}</span></h3>`;
    if (one.raw === null) return html`<section class="index">${heading}<p class="muted">${named("null", one.null_reason)}</p></section>`;
    return html`
      <section class="index">
        ${heading}
        <okno-dumbbell .name=${t(`kpi.${name}`)} .value=${one} .low=${scale[0]} .high=${scale[1]}></okno-dumbbell>
        <dl class="figures num">
          <dt>${t("kpi.raw")}</dt><dd>${formatIndex(one.raw)}</dd>
          <dt>${t("kpi.excluded_value")}</dt><dd>${formatIndex(one.excluded)}</dd>
          <dt>${t("kpi.estimated")}</dt><dd class="main">${formatIndex(one.estimated?.value)}</dd>
        </dl>
        <div class="small num">${this.renderInterval(one)}</div>
        <div class="small num">${this.renderBeside(name, one)}</div>
        ${this.renderDifference(one)}
        ${(one.flags ?? []).map((flag) => html`<div class="small warn">${named("flag", flag)}</div>`)}
      </section>`;
  }

  renderDifference({ difference: d }) {
    if (!d) return nothing;
    const signed = (value) => (value > 0 ? `+${formatIndex(value)}` : formatIndex(value));
    const m = this.data.answer.comparison?.compared ?? 1;
    const verdict = d.too_few ? named("flag", "too_few") : t(d.differs ? "kpi.differs" : "kpi.differs_not", { m });
    return html`<div class="small num">Δ ${t("kpi.difference", { value: signed(d.value), low: signed(d.low), high: signed(d.high) })} · ${d.differs ? html`<b>${verdict}</b>` : verdict}</div>`;
  }

  renderInterval({ estimated, estimated_null_reason: why, band }) {
    const range = (ends) => [...ends].sort((a, b) => a - b).map(formatIndex).join(" … "); // loyalty falls as k grows
    const interval = estimated && estimated.value === null
      ? t("kpi.worst_only", { low: formatIndex(estimated.bounds.worst[0]), high: formatIndex(estimated.bounds.worst[1]) })
      : estimated
      ? `${t("kpi.interval", { level: formatNumber(estimated.level * 100) })} ${range([estimated.low, estimated.high])}`
      : t("kpi.no_estimate", { why: named("null", why ?? "not_sampled") });
    return html`${interval}${band ? html` · ${t("kpi.band")} ${range(band)}` : nothing}`;
  }

  /** What must stand beside a figure: how much was looked at, and the other variant of force majeure
   * (staff's index leaves it out, the others keep it). */
  renderBeside(name, { estimated, with_fm: other }) {
    const variant = name === "ink_personnel" ? "kpi.with_fm" : "kpi.without_fm";
    return [
      estimated?.frame ? t("kpi.reviewed", { reviewed: estimated.reviewed, frame: estimated.frame }) : "",
      typeof other === "number" ? t(variant, { value: formatIndex(other) }) : "",
    ].filter(Boolean).join(" · ");
  }

  renderGroupHead({ group, counts, customers, indicators, fm_gate: gate, evidence_gate: evidence }) {
    const { by } = this.data;
    const query = this.groupQuery(group);
    const next = deeper[by];
    const name = this.groupName(group);
    const conversion = indicators.exact_conversion;
    return html`
      <div class="group">
        <h2>${next ? html`<a href=${link("indicators", { query: { ...this.asked(), ...query, by: next } })} title=${t("filter.by")}>${name} ›</a>` : name}</h2>
        <div class="facts num">
          <span>${t("surveys.count", { n: counts.n })}</span>
          <span>${t("kpi.silent")} ${formatShare(indicators.silent_share?.excluded)}</span>
          ${indicators.visitor_coverage?.excluded != null ? html`<span>${t("kpi.coverage")} ${formatShare(indicators.visitor_coverage.excluded)}</span>` : nothing}
          ${conversion?.excluded != null ? html`<span>${t("kpi.exact_conversion")} ${formatShare(conversion.excluded)}</span>` : nothing}
          ${this.renderCustomers(customers)}
        </div>
        ${gate && gate !== "evaluable" ? html`<div class="small warn">${named("flag", gate)}</div>` : nothing}
        ${evidence && evidence !== "evaluable" ? html`<div class="small warn">${named("flag", evidence)}</div>` : nothing}
        ${conversion?.flags.includes("cherry_picking") ? html`<div class="small warn">${named("flag", "cherry_picking")}</div>` : nothing}
        <a href=${link("surveys", { query })}>${t("kpi.open")} ›</a>
      </div>`;
  }

  /** How many customers there were, who counted them, and how often that was corrected. */
  renderCustomers(customers = {}) {
    return Object.entries(customers).filter(([, one]) => one.count !== null).map(([what, { count, sources, corrections }]) => html`
      <span>${t("kpi.customers", { what: t(`customers.${what}`), n: formatNumber(count), sources: sources.map((one) => named("source", one)).join(", ") })}${corrections ? ` ${t("kpi.corrected", { n: corrections })}` : ""}</span>`);
  }

  renderExcluded({ group, excluded, counts }) {
    const query = { ...this.groupQuery(group), validity: "invalid" };
    const reasons = Object.entries(excluded ?? {});
    return html`
      <span class="muted">${reasons.length ? t("kpi.excluded") : t("kpi.none_excluded")}</span>
      ${reasons.map(([reason, n]) => html`
        <a class="reason num" href=${link("surveys", { query: reason === "VOIDED" ? { ...query, validity: "voided" } : { ...query, reason } })}>
          <span>${reason === "VOIDED" ? t("verdict.voided") : reasonName(reason)}</span><b>${formatNumber(n)}</b></a>`)}
      ${counts.undeterminable ? html`<a class="num" href=${link("surveys", { query: { ...query, validity: "undeterminable" } })}>
        ${t("kpi.undeterminable", { n: formatNumber(counts.undeterminable) })}</a>` : nothing}`;
  }

  renderMore(indicators) {
    const names = Object.keys(indicators).filter((name) => !main.includes(name));
    if (names.length === 0) return nothing;
    return html`<details><summary>${t("kpi.more")} · ${t("kpi.raw")} → ${t("kpi.excluded_value")} → ${t("kpi.estimated")}</summary><div class="more num">${names.map((name) => {
      const one = indicators[name];
      const index = ["support_index", "criticality_index"].includes(name);
      const shown = index ? formatIndex : formatShare;
      const values = [one.raw, one.excluded, ...(one.estimated ? [one.estimated.value] : [])];
      const value = one.excluded === null ? named("null", one.null_reason) : values.map(shown).join(" → ");
      return html`<div><span class="muted">${named("kpi", name)}</span><span>${value}${(one.flags ?? []).map((flag) => html` · <span class="muted">${named("flag", flag)}</span>`)}</span></div>`;
    })}</div></details>`;
  }

  renderRow(row, scales) {
    const shown = main.filter((name) => scales[name] && row.indicators[name]);
    return html`
      <article class="row card">
        ${this.renderGroupHead(row)}
        <div class="indexes">${shown.map((name) => this.renderIndex(name, row.indicators[name], scales[name]))}</div>
        <div class="below">${this.renderExcluded(row)}${this.renderMore(row.indicators)}</div>
      </article>`;
  }

  renderLegend() {
    return html`
      <div class="legend">
        <span>○ <b>${t("kpi.raw")}</b> ${t("kpi.raw_about")}</span>
        <span>● <b>${t("kpi.excluded_value")}</b> ${t("kpi.excluded_about")}</span>
        <span>◆ <b>${t("kpi.estimated")}</b> ${t("kpi.estimated_about")}</span>
        <span>▭ <b>${t("kpi.band")}</b> ${t("kpi.band_about")}</span>
      </div>`;
  }

  download() {
    const text = csvOf(this.data.answer, (group) => this.groupName(group));
    const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
    const anchor = Object.assign(document.createElement("a"), { href: address, download: `indicators_${this.data.days.from}_${this.data.days.to}.csv` });
    anchor.click();
    URL.revokeObjectURL(address);
  }

  renderTrend() {
    const { trend, unit, zone } = this.data;
    const shown = main.filter((name) => trend.groups.filter(({ indicators }) => indicators[name]?.raw != null).length > 1);
    if (shown.length === 0) return nothing;
    const { site, point } = this.query;
    const breaks = (trend.breaks ?? []).filter((one) => !one.site || ((!site || one.site === site) && (!point || one.point === point))).slice(0, 20)
      .map((one) => ({ ...one, point: one.point ? pointName(this.data.sites, one.point) : t("kpi.everywhere") }));
    return html`
      <section class="card trends">
        <h2>${t("kpi.trend")}: ${this.scopeName()}</h2>
        <p class="small">${t("kpi.trend_about")}</p>
        <div class="indexes">${shown.map((name) => html`<okno-trend .name=${name} .groups=${trend.groups} .unit=${unit} .breaks=${breaks}></okno-trend>`)}</div>
        ${breaks.length ? html`<ul class="small num breaks">${breaks.map(({ at, what, point, was, became }) => html`
          <li>┆ ${formatDay(at, zone)} ${point}: ${named("break", what)} ${was ?? ""} → ${became ?? ""}</li>`)}</ul>` : nothing}
      </section>`;
  }

  renderGroups() {
    if (this.data.wrong) return html`<okno-notice .heading=${t("filter.wrong")} .text=${this.data.wrong}>
      <button class="primary" @click=${() => replaceRoute("indicators", {})}>${t("filter.clear")}</button></okno-notice>`;
    const groups = this.data.answer.groups.filter(({ counts }) => counts.raw_n > 0 || counts.n > 0);
    if (groups.length === 0) return html`<okno-notice .heading=${t("kpi.empty")} .text=${t("kpi.empty_next")}></okno-notice>`;
    const scales = Object.fromEntries(main.map((name) => [name, this.scaleOf(name)]));
    return html`
      ${this.renderLegend()}
      <div class="rows">${groups.map((row) => this.renderRow(row, scales))}</div>
      ${this.renderTrend()}
      <p class="small num"><button class="quiet" @click=${this.download}>${t("kpi.csv")}</button> ${t("kpi.as_of", { when: formatWhen(this.data.answer.at, this.data.zone), k: formatNumber(this.data.answer.k, 2) })}</p>`;
  }

  /** The same figures as a file that people read. */
  renderSheets() {
    const { sheet, answer } = this.data;
    if (!sheet || answer.groups.length === 0) return nothing;
    return html`<p class="sheets">${t("kpi.as_report")}: ${["html", "pdf", "xlsx", "csv"].map((format, at) => html`${at ? ", " : ""}<a download
      href=${`/api/v1/${withQuery("indicators/report", { ...sheet, format, lang: language() })}`}>${format.toUpperCase()}</a>`)}</p>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`${[1, 2, 3].map(() => html`<div class="skeleton wait"></div>`)}`;
    const { zone, answer } = this.data;
    return html`
      <okno-filters .fields=${this.fields()} .values=${{ k: answer.k, ...this.asked() }} .zone=${zone}
        ?clearable=${Object.keys(this.query).length > 0} @clear=${() => replaceRoute("indicators", {})}
        @filter=${(event) => this.change(event.detail)}></okno-filters>
      ${this.renderGroups()}
      ${this.renderSheets()}`;
  }
}
customElements.define("okno-indicators", OknoIndicators);
