// Alerts: what somebody should know of, newest first; what raises them; for administrators, what became of
// the messages.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post, withQuery } from "./api.js";
import { errorText } from "./errors.js";
import { pointName, siteName, zoneOf } from "./filters.js";
import { formatNumber, formatShare } from "./format.js";
import { named, t } from "./i18n.js";
import { isPressing, isTyping, keyName } from "./keys.js";
import { link, replaceRoute } from "./router.js";
import { formatWhen } from "./time.js";
import { translated } from "./service-words.js";
import "./okno-filters.js";
import "./okno-notice.js";
import { newDestination } from "./okno-destination.js";
import { kinds, newRule } from "./okno-rule.js";

const signs = { negative: "✗", negatives: "✗", invalid_share: "✗", clock_suspect: "!", archive: "!" };
const pageSize = 100;
const fresh = newRule();
const freshDestination = newDestination();

class OknoAlerts extends PageElement {
  static properties = { me: { attribute: false }, data: { state: true }, at: { state: true }, busy: { state: true }, editing: { state: true }, addressing: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 80rem; margin: 0 auto; align-content: start; }
    .list > li { display: grid; grid-template-columns: 1.5rem minmax(0, 1fr) auto; gap: .25rem .5rem; padding: .5rem .75rem; border-bottom: 1px solid var(--line); align-items: start; }
    .list > li:last-child { border-bottom: 0; }
    .list > li.current { background: var(--accent-soft); box-shadow: inset .1875rem 0 var(--accent); }
    .sign { font-weight: 700; text-align: center; color: var(--amber); }
    .sign.bad { color: var(--invalid); } .sign.over { color: var(--muted); }
    .note { font-size: .75rem; color: var(--muted); }
    .empty { padding: 0 .75rem .75rem; }
    .over { color: var(--muted); }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th { text-align: left; font-size: .75rem; font-weight: 600; color: var(--muted); }
    th, td { padding: .375rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
    tr:last-child td { border-bottom: 0; }
    details { padding: 0; } summary { cursor: pointer; padding: .5rem .75rem; font-weight: 600; }
    .do { display: flex; gap: .5rem; align-items: center; flex-wrap: wrap; justify-content: flex-end; }
    .trouble { color: var(--invalid); }
    .new { padding: .75rem; }
    .wait { height: 3.5rem; }
    @media (max-width: 40rem) {
      :host { padding: .75rem .5rem; }
      .list > li { grid-template-columns: 1.25rem minmax(0, 1fr); padding: .5rem .25rem; }
      .do { grid-column: 2; justify-content: flex-start; }
      th, td { padding: .25rem; }
    }
  `];

  constructor() {
    super();
    this.at = 0;
  }

  get manages() { return ["manager", "administrator"].includes(this.me?.role); }

  async load() {
    const { site, kind, open = "true" } = this.query;
    const path = withQuery("alerts", { site, kind, open: open === "all" ? "" : open, limit: pageSize });
    const administrator = this.me?.role === "administrator";
    const all = (promise, fallback) => (promise ? promise : Promise.resolve(fallback));
    const [{ sites }, { alerts, next }, { rules }, { destinations }, { deliveries }] = await Promise.all([
      get("sites"), get(path), all(this.me?.sites ? null : get("alert-rules"), { rules: null }),
      all(administrator && get("destinations"), { destinations: null }),
      all(administrator && get("deliveries?state=dead&limit=20"), { deliveries: [] })]);
    return () => { Object.assign(this, { data: { sites, alerts, next, path, rules, destinations, deliveries }, at: 0 }); };
  }

  onKey(event) {
    const alerts = this.data?.alerts ?? [];
    if (isTyping(event) || isPressing(event) || alerts.length === 0) return;
    const key = keyName(event);
    if (key === "j" || key === "k") this.move(key === "j" ? 1 : -1);
    if (key === "a") this.ack(alerts[this.at]);
    if (key === "j" || key === "k" || key === "a") event.preventDefault();
  }

  async move(by) {
    this.at = Math.min(Math.max(this.at + by, 0), this.data.alerts.length - 1);
    await this.updateComplete;
    this.renderRoot.querySelector(".current")?.scrollIntoView({ block: "nearest" });
  }

  async ack(alert) {
    if (!this.manages || !alert || alert.acked_at) return;
    try {
      await post(`alerts/${alert.alert}/ack`);
    } catch (error) {
      this.emit("toast", { text: errorText(error), tone: "amber" });
      return;
    }
    const seen = { ...alert, acked_at: new Date().toISOString(), acked_by: this.me.user };
    this.data = { ...this.data, alerts: this.data.alerts.map((one) => (one === alert ? seen : one)) };
    if (this.data.alerts[this.at] === seen) this.move(1);
  }

  async more() {
    this.busy = true;
    try {
      const { data } = this;
      const { alerts, next } = await get(`${data.path}&before=${data.next}`);
      if (this.data === data) this.data = { ...data, alerts: [...data.alerts, ...alerts], next };
    } finally {
      this.busy = false;
    }
  }

  async ask(path) {
    try {
      await post(path);
      this.emit("toast", { text: t("alerts.queued") });
      await this.reload();
    } catch (error) {
      this.emit("toast", { text: errorText(error), tone: "amber" });
    }
  }

  place({ site, point }) {
    if (!site) return t("alerts.nowhere");
    return point ? `${siteName(this.data.sites, site)}, ${pointName(this.data.sites, point)}` : siteName(this.data.sites, site);
  }

  what({ kind, detail, subject, site }) {
    const { count, window_min: minutes, share_ppm: share, limit_ppm: limit, total, waiting, lost_at: lost, due_at: due } = detail;
    switch (kind) {
    case "negatives": case "fm_burst": return t("alerts.count", { count, minutes });
    case "silent_share": case "invalid_share": return t("alerts.share", { share: formatShare(share / 1e6), total, limit: formatShare(limit / 1e6), minutes });
    case "archive": return [subject, t("alerts.waiting", { count: waiting }), lost && t("alerts.lost", { when: formatWhen(lost, zoneOf(this.data.sites)) })].filter(Boolean).join(" · ");
    case "appeal": case "appeal_due": return due ? t("alerts.due", { when: formatWhen(due, zoneOf(this.data.sites, site)) }) : "";
    case "point_quiet": case "negative": return "";
    case "device_quiet": return detail.heard === false ? `${subject} · ${t("alerts.never_heard")}` : subject;
    default: return subject;
    }
  }

  renderAlert(alert, place) {
    const zone = zoneOf(this.data.sites, alert.site);
    const over = alert.closed_at !== null;
    const what = this.what(alert);
    const name = named("alert", alert.kind);
    return html`
      <li class=${place === this.at ? "current" : ""} @click=${() => { this.at = place; }}>
        <span class="sign ${over ? "over" : signs[alert.kind] === "✗" ? "bad" : ""}" aria-hidden="true">${over ? "✓" : signs[alert.kind] ?? "…"}</span>
        <div class=${over ? "over" : ""}>
          <b>${alert.kind === "negative" ? html`<a href=${link("surveys", { id: alert.subject })}>${name}</a>` : name}</b>
          ${what ? html` · <span class="num">${what}</span>` : nothing}
          <div>${this.place(alert)}</div>
          <div class="note num">${formatWhen(alert.at, zone)} · ${t("alerts.by_rule", { rule: alert.rule })}${over ? html` · ${named("alert_closed", alert.closed_why)}` : nothing}</div>
        </div>
        <div class="do">${alert.acked_at ? html`<span class="note">${t("alerts.seen_by", { who: alert.acked_by })}</span>`
          : this.manages ? html`<button @click=${(event) => { event.stopPropagation(); this.ack(alert); }}>${t("alerts.ack")} ${place === this.at ? html`<kbd>A</kbd>` : nothing}</button>` : nothing}</div>
      </li>`;
  }

  renderRules(rules) {
    const edits = this.me?.role === "administrator";
    const limit = ({ kind, count, share, window_min: minutes, per }) => {
      if (["negatives", "fm_burst"].includes(kind)) return `${t("alerts.count", { count, minutes })} · ${t(`alerts.per_${per}`)}`;
      if (["silent_share", "invalid_share"].includes(kind)) return `≥ ${formatShare(share)}, ${t("alerts.minutes", { minutes })} · ${t(`alerts.per_${per}`)}`;
      return kind === "point_quiet" ? t("alerts.minutes", { minutes }) : "";
    };
    return html`
      <details class="card"><summary>${t("alerts.rules")}</summary><div class="scroll"><table>
        <thead><tr>${["rule", "kind", "where", "limit", "to"].map((name) => html`<th scope="col">${t(`alerts.rule_${name}`)}</th>`)}${edits ? html`<th></th>` : nothing}</tr></thead>
        <tbody>${rules.map((rule) => html`<tr class=${rule.enabled ? "" : "over"}>
          <td><b>${rule.rule}</b>${rule.built_in ? html`<div class="note">${t("alerts.built_in")}</div>` : nothing}${rule.enabled ? nothing : html`<div class="note">${t("alerts.at_rest")}</div>`}</td>
          <td>${named("alert", rule.kind)}</td><td>${rule.where === "all" ? t("alerts.everywhere") : rule.where}</td>
          <td class="num">${limit(rule)}</td><td>${rule.to || t("alerts.nobody")}</td>
          ${edits ? html`<td><button @click=${() => { this.editing = this.editing === rule.rule ? null : rule.rule; }}>${t("alerts.edit")}</button></td>` : nothing}</tr>
          ${edits && this.editing === rule.rule ? html`<tr><td colspan="6">${this.renderEditor(rule)}</td></tr>` : nothing}`)}</tbody></table></div>
        ${edits ? html`<div class="new">${this.editing === "" ? this.renderEditor(fresh) : html`<button @click=${() => { this.editing = ""; }}>${t("alerts.new")}</button>`}</div>` : nothing}
      </details>`;
  }

  renderEditor(rule) {
    return html`<okno-rule .rule=${rule} @rule-closed=${() => { this.editing = null; }} @rule-saved=${this.saved}></okno-rule>`;
  }

  async saved() {
    this.editing = null;
    await this.reload();
    this.emit("toast", { text: t("alerts.saved") });
  }

  renderDestination(one) {
    return html`<okno-destination .destination=${one} @destination-closed=${() => { this.addressing = null; }} @destination-saved=${this.addressed}></okno-destination>`;
  }

  async addressed() {
    this.addressing = null;
    await this.reload();
    this.emit("toast", { text: t("alerts.destination_saved") });
  }

  renderMessages({ destinations, deliveries }) {
    return html`
      <details class="card" ?open=${deliveries.length > 0}><summary>${t("alerts.messages")}</summary>
        ${destinations.length === 0 ? html`<p class="note empty">${t("alerts.no_destination")}</p>` : html`<div class="scroll"><table>
        <thead><tr>${["destination", "waiting", "dead", "last", ""].map((name) => html`<th scope="col">${name && t(`alerts.to_${name}`)}</th>`)}</tr></thead>
        <tbody>${destinations.map((one) => html`<tr>
          <td><b>${one.destination}</b><div class="note">${one.kind}${one.address ? ` · ${one.address}` : ""}${one.quiet ? ` · ${one.quiet} ${one.time_zone}` : ""}</div>
            ${one.trouble ? html`<div class="trouble">${translated(one.trouble)}</div>` : nothing}</td>
          <td class="num">${formatNumber(one.waiting + one.held)}</td><td class="num">${formatNumber(one.dead)}</td>
          <td class="num">${one.last_sent_at ? formatWhen(one.last_sent_at, zoneOf(this.data.sites)) : "–"}</td>
          <td class="do"><button @click=${() => { this.addressing = this.addressing === one.destination ? null : one.destination; }}>${t("alerts.edit")}</button>
            <button ?disabled=${!one.enabled} @click=${() => this.ask(`destinations/${one.destination}/test`)}>${t("alerts.test")}</button></td></tr>
          ${this.addressing === one.destination ? html`<tr><td colspan="5">${this.renderDestination(one)}</td></tr>` : nothing}`)}</tbody></table></div>`}
        <div class="new">${this.addressing === "" ? this.renderDestination(freshDestination) : html`<button @click=${() => { this.addressing = ""; }}>${t("alerts.new_destination")}</button>`}</div>
        ${deliveries.length ? html`<div class="scroll"><table><tbody>${deliveries.map((one) => html`<tr>
          <td class="num">${one.delivery}</td><td>${one.destination}</td><td class="trouble">${translated(one.reason)}</td>
          <td><button @click=${() => this.ask(`deliveries/${one.delivery}/retry`)}>${t("alerts.retry")}</button></td></tr>`)}</tbody></table></div>` : nothing}
      </details>`;
  }

  fields() {
    const all = ["", t("filter.all")];
    return [
      { name: "open", label: t("alerts.state"), options: [["true", t("alerts.open")], ["false", t("alerts.closed")], ["all", t("filter.all")]] },
      { name: "site", label: t("filter.site"), options: [all, ...this.data.sites.map(({ site, name }) => [site, name])] },
      { name: "kind", label: t("alerts.kind"), options: [all, ...kinds.map((kind) => [kind, named("alert", kind)])] },
    ];
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`${[1, 2, 3, 4].map(() => html`<div class="skeleton wait"></div>`)}`;
    const { alerts, next, rules, destinations } = this.data;
    return html`
      <h1>${t("nav.alerts")}</h1>
      <okno-filters .fields=${this.fields()} .values=${{ open: "true", ...this.query }} ?clearable=${Object.keys(this.query).length > 0}
        @filter=${(event) => replaceRoute("alerts", { query: { ...this.query, ...event.detail } })} @clear=${() => replaceRoute("alerts", {})}></okno-filters>
      ${alerts.length === 0 ? html`<okno-notice .heading=${t("alerts.empty")} .text=${t("alerts.empty_next")}></okno-notice>`
        : html`<ul class="card list">${alerts.map((alert, place) => this.renderAlert(alert, place))}</ul>
          <p class="note"><kbd>J</kbd> <kbd>K</kbd> ${t("alerts.keys_move")}${this.manages ? html` · <kbd>A</kbd> ${t("alerts.ack")}` : nothing}</p>`}
      ${next ? html`<div><button ?disabled=${this.busy} @click=${this.more}>${t("surveys.more")}</button></div>` : nothing}
      ${rules ? this.renderRules(rules) : nothing}
      ${destinations ? this.renderMessages(this.data) : nothing}`;
  }
}
customElements.define("okno-alerts", OknoAlerts);
