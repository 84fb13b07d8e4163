// Surveys: a day in lanes, a wall of photos, or a table. Filters and view stand in the address.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, withQuery } from "./api.js";
import { askedPeriod, isDay, loadAudits, periodOf, pointName, siteName, unknownFilter, zoneOf } from "./filters.js";
import { formatNumber } from "./format.js";
import { named, t } from "./i18n.js";
import { answerOf } from "./okno-answer.js";
import { loadReasons, reasonIds, reasonName } from "./reasons.js";
import { link, replaceRoute } from "./router.js";
import { addDays, dayStart, formatClock, formatDay, formatWhen, zoneName } from "./time.js";
import "./okno-filters.js";
import "./okno-lanes.js";
import "./okno-notice.js";
import "./okno-verdict.js";

const pageSize = 100;
const choices = {
  answer: ["yes", "no", "unsure", "silent"],
  validity: ["unreviewed", "valid", "invalid", "undeterminable", "voided"],
  video: ["linked", "partial", "no_recording", "no_camera", "expired", "unreachable", "pending"],
};
const nameGroup = { answer: "answer", validity: "verdict", video: "video" };

class OknoSurveys extends PageElement {
  static properties = { data: { state: true }, busy: { state: true }, me: { attribute: false } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 110rem; margin: 0 auto; align-content: start; }
    .bar { display: flex; justify-content: space-between; align-items: center; }
    .views button { min-height: 1.75rem; }
    .views button[aria-pressed="true"] { color: var(--text); font-weight: 600; border-color: var(--line); background: var(--surface); }
    .frame { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th { text-align: left; font-size: .75rem; font-weight: 600; color: var(--muted); }
    th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--line); vertical-align: middle; }
    tr:last-child td { border-bottom: 0; }
    tbody tr:hover { background: var(--ground); }
    td.photo { width: 6.5rem; padding-right: 0; }
    .thumb { display: block; width: 5.5rem; aspect-ratio: 16 / 9; border-radius: .25rem; object-fit: cover; background: var(--sunken); }
    .none { display: grid; place-content: center; font-size: .6875rem; color: var(--muted); text-align: center; }
    .note { font-size: .75rem; color: var(--muted); }
    .wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .5rem; }
    .wall a { color: inherit; overflow: hidden; }
    .wall a:hover { text-decoration: none; border-color: var(--muted); }
    .wall .thumb { width: 100%; border-radius: 0; }
    .wall .words { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .125rem .5rem; padding: .375rem .5rem; font-size: .75rem; }
    .narrow { display: none; }
    .wait { height: 3.5rem; }
    .waiting { border-left: 2px solid var(--amber); padding-left: .5rem; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
    @media (max-width: 48rem) {
      .optional { display: none; }
      .thumb { width: 4.5rem; }
      td.photo { width: 4.75rem; }
      :host { padding: .75rem .5rem; }
      .narrow { display: block; }
      td okno-verdict { font-size: .75rem; }
      .wide { display: none; }
      th, td { padding: .25rem; }
    }
  `];

  async load() {
    const [{ sites }, audits, { proposals }] = await Promise.all([get("sites"), this.query.from ? [] : loadAudits(this.me), get("voids"), loadReasons()]);
    this.proposals = proposals;
    const zone = zoneOf(sites, this.query.site);
    const { days, wrong: period } = askedPeriod(this.query, audits, zone);
    const wrong = period || unknownFilter(this.query, sites);
    if (wrong) return () => { this.data = { sites, zone, days, wrong, surveys: [], next: null }; };
    if (this.view === "lanes") return this.loadLanes(sites, zone, days.to);
    const { site, point, employee, question, answer, validity, reason, video, spontaneous } = this.query;
    const path = withQuery("surveys", { ...periodOf(days, zone), site, point, employee, question, answer, validity, reason, video, spontaneous, limit: pageSize });
    const { surveys, next } = await get(path);
    return () => { this.data = { sites, zone, days, path, surveys, next }; };
  }

  /** Lanes where the address says so, or says nothing at all. */
  get view() {
    const { view } = this.query;
    if (view) return ["lanes", "wall"].includes(view) ? view : "table";
    return Object.keys(this.query).length === 0 ? "lanes" : "table";
  }

  /** One day, by the calendar of the chosen site. Zooming in asks for nothing new. */
  async loadLanes(sites, zone, date) {
    const days = { from: date, to: date };
    const { site, point } = this.query;
    const path = withQuery("lanes", { ...periodOf(days, zone), site, point });
    const lanes = this.data?.path === path && this.query.range ? this.data.lanes : (await get(path)).lanes;
    const day = [Date.parse(dayStart(date, zone)), Date.parse(dayStart(addDays(date, 1), zone))];
    return () => { this.data = { sites, zone, days, path, lanes, day, surveys: [], next: null }; };
  }

  /** From the day that is asked for: it may still be on its way when the next key comes. */
  moveDay(by) {
    const { from, to } = this.query;
    const date = addDays(isDay(from) && isDay(to) && from <= to ? to : this.data.days.to, by);
    this.change({ from: date, to: date, range: "" });
  }

  /** What the filters leave; the rest is drawn faintly. */
  isWanted(survey) {
    const { answer, validity, video } = this.query;
    return (!answer || answerOf(survey) === answer) && (!validity || survey.validity === validity) && (!video || (survey.footage?.state ?? "pending") === video);
  }

  renderLanes() {
    const { lanes, day, zone, sites } = this.data;
    if (lanes.length === 0) return html`<okno-notice .heading=${t("surveys.empty")} .text=${t("surveys.empty_next")}></okno-notice>`;
    return html`<okno-lanes .lanes=${lanes} .day=${day} .zone=${zone} .range=${this.query.range ?? ""} .wanted=${(survey) => this.isWanted(survey)}
      .names=${(site) => siteName(sites, site)} @range=${(event) => this.change({ range: event.detail })} @day=${(event) => this.moveDay(event.detail)}></okno-lanes>`;
  }

  async more() {
    const { data } = this;
    this.busy = true;
    try {
      const { surveys, next } = await get(`${data.path}&cursor=${encodeURIComponent(data.next)}`);
      if (this.data === data) this.data = { ...data, surveys: [...data.surveys, ...surveys], next };
    } finally {
      this.busy = false;
    }
  }

  change(fields) {
    if ("site" in fields) fields.point = "";
    const lanes = this.view === "lanes";
    if (lanes && "from" in fields) fields.to = fields.from;
    replaceRoute("surveys", { query: { ...this.query, ...this.data.days, view: this.view, ...(lanes ? {} : { range: "" }), ...fields } });
  }

  fields() {
    const { sites } = this.data;
    const all = ["", t("filter.all")];
    const points = sites.filter(({ site }) => !this.query.site || site === this.query.site).flatMap((site) => site.points);
    const pick = (name) => ({ name, label: t(`filter.${name}`), options: [all, ...choices[name].map((id) => [id, named(nameGroup[name], id)])] });
    const lanes = this.view === "lanes";
    return [
      { name: "from", label: t(lanes ? "filter.day" : "filter.from"), type: "date" },
      ...(lanes ? [] : [{ name: "to", label: t("filter.to"), type: "date" }]),
      { name: "site", label: t("filter.site"), options: [all, ...sites.map(({ site, name }) => [site, name])] },
      { name: "point", label: t("filter.point"), options: [all, ...points.map(({ point, name }) => [point, name])] },
      ...["employee", "question"].filter((name) => this.query[name]).map((name) => ({ name, label: t(`filter.${name}`), options: [all, [this.query[name], this.query[name]]] })),
      pick("answer"), pick("validity"),
      ...(lanes ? [] : [{ name: "reason", label: t("filter.reason"), options: [all, ...[...new Set([...reasonIds(), this.query.reason].filter(Boolean))].map((id) => [id, reasonName(id)])] }]),
      pick("video"),
      ...(lanes ? [] : [{ name: "spontaneous", label: t("filter.what"), options: [["", t("filter.surveys")], ["1", t("filter.spontaneous")]] }]),
    ];
  }

  zoneFor(survey) {
    return zoneOf(this.data.sites, survey.site);
  }

  place(survey) {
    return `${siteName(this.data.sites, survey.site)}, ${pointName(this.data.sites, survey.point)}`;
  }

  renderThumb(survey) {
    if (!survey.still) return html`<span class="thumb none">${t("still.none")}</span>`;
    const alt = t("still.alt", { place: this.place(survey), when: formatWhen(survey.still.frame_at, this.zoneFor(survey)) });
    return html`<img class="thumb" src=${survey.still.url} alt=${alt} loading="lazy">`;
  }

  renderRow(survey) {
    const zone = this.zoneFor(survey);
    const open = link("surveys", { id: survey.id });
    return html`
      <tr>
        <td class="photo"><a href=${open}>${this.renderThumb(survey)}</a></td>
        <td class="num nowrap"><a href=${open}>${formatClock(survey.opened_at, zone)}</a> <span class="note">${zoneName(survey.opened_at, zone)}</span>
          <div class="note">${formatDay(survey.opened_at, zone)}</div></td>
        <td class="optional">${this.place(survey)}<div class="note">${survey.employee ?? t("kpi.unassigned")}</div></td>
        <td><okno-answer .answer=${answerOf(survey)}></okno-answer>
          ${survey.force_majeure ? html`<div class="note">${t("answer.fm")}</div>` : nothing}
          ${survey.validity === "unreviewed" ? nothing : html`<div class="narrow">${this.renderVerdict(survey)}</div>`}</td>
        <td class="optional note">${named("video", survey.video ?? "none")}</td>
        <td class="wide">${this.renderVerdict(survey)}</td>
      </tr>`;
  }

  renderVerdict({ validity, reason }) {
    return html`<okno-verdict .verdict=${validity}></okno-verdict>
      ${reason ? html`<div class="note">${reasonName(reason)}</div>` : nothing}`;
  }

  /** A wall goes on as it is scrolled. */
  updated() {
    const more = this.view === "wall" ? this.renderRoot.querySelector(".more") : null;
    this.nearEnd ??= new IntersectionObserver((seen) => {
      if (seen.some(({ isIntersecting }) => isIntersecting) && !this.busy && this.data?.next) this.more();
    }, { rootMargin: "600px" });
    this.nearEnd.disconnect();
    if (more) this.nearEnd.observe(more);
  }

  disconnectedCallback() {
    this.nearEnd?.disconnect();
    super.disconnectedCallback();
  }

  renderTable(surveys) {
    return html`
      <div class="card frame"><table>
        <thead><tr><th scope="col">${t("surveys.still")}</th><th scope="col">${t("surveys.when")}</th>
          <th scope="col" class="optional">${t("surveys.place")}</th><th scope="col">${t("surveys.answer")}</th>
          <th scope="col" class="optional">${t("surveys.footage")}</th><th scope="col" class="wide">${t("surveys.verdict")}</th></tr></thead>
        <tbody>${surveys.map((survey) => this.renderRow(survey))}</tbody>
      </table></div>`;
  }

  renderWall(surveys) {
    return html`<div class="wall">${surveys.map((survey) => html`
      <a class="card" href=${link("surveys", { id: survey.id })}>${this.renderThumb(survey)}
        <span class="words num"><span>${formatClock(survey.opened_at, this.zoneFor(survey))} <span class="muted">${zoneName(survey.opened_at, this.zoneFor(survey))}</span></span>
          <okno-answer .answer=${answerOf(survey)}></okno-answer>
          ${survey.validity === "unreviewed" ? nothing : html`<okno-verdict .verdict=${survey.validity} .reason=${survey.reason ?? ""}></okno-verdict>`}</span></a>`)}</div>`;
  }

  renderViews() {
    const view = (name) => html`<button class="quiet" aria-pressed=${String(this.view === name)} @click=${() => this.change({ view: name })}>${t(`surveys.${name}`)}</button>`;
    return html`<div class="views" role="group" aria-label=${t("surveys.view")}>${["lanes", "wall", "table"].map(view)}</div>`;
  }

  renderList() {
    const { surveys, next, lanes, wrong } = this.data;
    if (wrong) return html`<okno-notice .heading=${t("filter.wrong")} .text=${wrong}>
      <button class="primary" @click=${() => replaceRoute("surveys", {})}>${t("filter.clear")}</button></okno-notice>`;
    const wall = this.view === "wall";
    if (lanes) {
      const n = lanes.reduce((sum, lane) => sum + lane.surveys.filter((survey) => this.isWanted(survey)).length, 0);
      return html`<div class="bar"><span class="num">${t("surveys.count", { n })}</span>${this.renderViews()}</div>${this.renderLanes()}`;
    }
    if (surveys.length === 0) return html`<okno-notice .heading=${t("surveys.empty")} .text=${t("surveys.empty_next")}>
      <button class="primary" @click=${() => replaceRoute("surveys", {})}>${t("filter.clear")}</button></okno-notice>`;
    return html`
      <div class="bar"><span class="num">${next ? t("surveys.count_more", { n: formatNumber(surveys.length) }) : t("surveys.count", { n: surveys.length })}</span>
        ${this.renderViews()}</div>
      ${wall ? this.renderWall(surveys) : this.renderTable(surveys)}
      ${next ? html`<div class="more"><button ?disabled=${this.busy} @click=${this.more}>${t("surveys.more")}</button></div>` : nothing}`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`${[1, 2, 3, 4, 5, 6].map(() => html`<div class="skeleton wait"></div>`)}`;
    return html`
      <okno-filters .fields=${this.fields()} .values=${{ ...this.query, ...this.data.days }} .zone=${this.data.zone}
        ?clearable=${Object.keys(this.query).length > 0} @filter=${(event) => this.change(event.detail)}
        @clear=${() => replaceRoute("surveys", {})}></okno-filters>
      ${this.renderWaiting()}
      ${this.renderList()}`;
  }

  /** Voids that somebody asked for: a second person is needed. */
  renderWaiting() {
    if (!this.proposals?.length) return nothing;
    return html`<p class="waiting num">${t("void.waiting", { n: this.proposals.length })}
      ${this.proposals.slice(0, 10).map(({ survey, opened_at: at, site }) => html` <a href=${link("surveys", { id: survey })}>${at ? formatWhen(at, zoneOf(this.data.sites, site)) : survey}</a>`)}</p>`;
  }
}
customElements.define("okno-surveys", OknoSurveys);
