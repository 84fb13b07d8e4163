// Appeals: staff and managers say what counts wrongly and why; somebody else looks again and decides. What waits
// comes first, then what was decided, then what can be appealed against: that may be hundreds, and asks for nothing.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post, withQuery } from "./api.js";
import { errorText } from "./errors.js";
import { named, t } from "./i18n.js";
import { isPressing, isTyping, keyName } from "./keys.js";
import { loadReasons, reasonName } from "./reasons.js";
import { link, replaceRoute } from "./router.js";
import { formatWhen } from "./time.js";
import "./okno-appeal-decision.js";
import "./okno-appeal-form.js";
import "./okno-filters.js";
import "./okno-notice.js";
import "./okno-verdict.js";

const PART = 10;

class OknoAppeals extends PageElement {
  static properties = {
    me: { attribute: false }, data: { state: true }, at: { state: true }, item: { state: true }, trouble: { state: true }, writing: { state: true }, shown: { state: true },
  };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 72rem; margin: 0 auto; align-content: start; }
    :host([wide]) { max-width: 120rem; }
    .list { display: grid; gap: .5rem; }
    article { padding: .75rem; display: grid; gap: .375rem; }
    article.current { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
    .line { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
    .line > :last-child:not(:first-child) { margin-left: auto; }
    .said { border-left: 2px solid var(--line); padding-left: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
    .note { font-size: .75rem; color: var(--muted); }
    .overdue { color: var(--invalid); font-weight: 600; }
    .outcome { font-weight: 600; }
    .accept { color: var(--valid); } .partly { color: var(--amber); } .reject { color: var(--invalid); } .withdrawn { color: var(--muted); }
    .trouble { color: var(--invalid); }
    .wait { height: 6rem; }
    @media (max-width: 48rem) { :host { padding: .75rem .5rem; } }
  `];

  constructor() {
    super();
    this.at = 0;
    this.shown = { decided: PART, rulings: PART };
  }

  get files() { return ["staff", "manager"].includes(this.me?.role); }

  async load() {
    const { state = this.files ? "all" : "open" } = this.query;
    const rulings = this.files ? get("appeals/rulings") : Promise.resolve({ rulings: [] });
    const [{ appeals }, { rulings: open }] = await Promise.all([get(withQuery("appeals", { state })), rulings, loadReasons()]);
    const [waiting, decided] = [appeals.filter(({ outcome }) => !outcome), appeals.filter(({ outcome }) => outcome)];
    return () => { Object.assign(this, { data: { waiting, decided, rulings: open, state }, at: 0, trouble: "", writing: "" }); };
  }

  /** Those on the page, in its order: keys walk over these. */
  get listed() { return [...this.data.waiting, ...this.data.decided.slice(0, this.shown.decided)]; }

  willUpdate(changed) {
    super.willUpdate(changed);
    this.toggleAttribute("wide", Boolean(this.item));
  }

  onKey(event) {
    if (this.item || !this.data || isTyping(event) || isPressing(event)) return;
    const key = keyName(event);
    const appeals = this.listed;
    if (key === "j" || key === "k") this.move(key === "j" ? 1 : -1);
    else if (key === "Enter" && appeals[this.at]?.may_decide) this.take(appeals[this.at]);
    else return;
    event.preventDefault();
  }

  async move(by) {
    this.at = Math.min(Math.max(this.at + by, 0), Math.max(0, this.listed.length - 1));
    await this.updateComplete;
    this.renderRoot.querySelector("article.current")?.scrollIntoView({ block: "nearest" });
  }

  /** The next part, and the keyboard at its beginning: the button may be gone. */
  async more(name) {
    const first = this.shown[name];
    this.shown = { ...this.shown, [name]: first + 2 * PART };
    await this.updateComplete;
    this.renderRoot.querySelectorAll(`.${name} article`)[first].focus();
  }

  async take(appeal) {
    this.trouble = "";
    try {
      this.item = await post(`appeals/${appeal.appeal}/take`);
    } catch (error) {
      this.trouble = errorText(error);
    }
  }

  async withdraw(appeal) {
    this.trouble = "";
    try {
      await post(`appeals/${appeal.appeal}/withdraw`);
      await this.reload();
    } catch (error) {
      this.trouble = errorText(error);
    }
  }

  async decided(event) {
    this.item = null;
    this.emit("toast", { text: t(`appeals.toast_${event.detail.outcome}`) });
    await this.reload();
  }

  place(one) {
    return `${one.site_name || one.site}, ${one.point_name || one.point}`;
  }

  renderRuling(ruling) {
    if (!ruling) return html`<span class="muted">${t("appeals.undecided")}</span>`;
    return html`<okno-verdict .verdict=${ruling.verdict}></okno-verdict>${ruling.reason ? html` ${reasonName(ruling.reason)}` : nothing}`;
  }

  renderHead(one) {
    const name = this.me?.role === "staff" || "may_decide" in one ? html`<b>${this.place(one)}</b>` : html`<a href=${link("surveys", { id: one.survey })}><b>${this.place(one)}</b></a>`;
    return html`<div class="line"><span>${name}${one.employee ? html` · ${one.employee}` : nothing}</span><span class="num">${formatWhen(one.opened_at, one.time_zone)}</span></div>`;
  }

  renderOutcome(one) {
    if (!one.outcome)
      return html`<div class="line"><span class=${one.state}>${t(`appeals.${one.state}`)}</span><span class="note num">${t("appeals.due", { when: formatWhen(one.due_at, one.time_zone) })}</span></div>`;
    return html`
      <div class="line"><span class="outcome ${one.outcome}">${t(`appeals.${one.outcome}`)}</span>
        ${one.became ? this.renderRuling(one.became) : nothing}<span class="note num">${formatWhen(one.decided_at, one.time_zone)}</span></div>
      ${one.answer ? html`<div class="said">${one.answer}</div>` : nothing}`;
  }

  renderAppeal(one, place) {
    const mine = this.files && one.user === this.me.user;
    return html`
      <article tabindex="-1" class="card ${place === this.at ? "current" : ""}" @click=${() => { this.at = place; }}>
        ${this.renderHead(one)}
        <div class="line"><span>${this.renderRuling(one.against)} → ${t(`appeals.asks_${one.asks}`)}</span>
          <span class="note">${t("appeals.by", { who: one.user ?? named("role", one.by ?? "staff") })}</span></div>
        <div class="said">${one.comment}</div>
        ${this.renderOutcome(one)}
        ${one.may_decide ? html`<div><button class="primary" ?disabled=${one.taken} @click=${() => this.take(one)}>${t("appeals.take")} ${place === this.at ? html`<kbd>⏎</kbd>` : nothing}</button>
          ${one.taken ? html`<span class="note">${t("appeals.taken")}</span>` : nothing}</div>` : nothing}
        ${"may_decide" in one && !one.may_decide && !one.outcome ? html`<div class="note">${t("appeals.barred")}</div>` : nothing}
        ${mine && !one.outcome ? html`<div><button class="quiet" @click=${() => this.withdraw(one)}>${t("appeals.withdraw")}</button></div>` : nothing}
      </article>`;
  }

  renderOpenRuling(one) {
    return html`
      <article tabindex="-1" class="card">
        ${this.renderHead(one)}
        <div class="line"><span>${this.renderRuling(one)}${one.answer ? html` · ${named("answer", one.answer)}` : nothing}</span>
          <span class="note num">${t("appeals.until", { when: formatWhen(one.until, one.time_zone) })}</span></div>
        <okno-appeal-form .id=${one.survey} @appealed=${this.reload}></okno-appeal-form>
      </article>`;
  }

  /** A part of a list and how much is left of it. */
  renderSection(name, list, each) {
    const left = list.length - this.shown[name];
    return list.length === 0 ? nothing : html`<section class="list ${name}"><h2>${t(`appeals.${name}`)}</h2>${list.slice(0, this.shown[name]).map(each)}
      ${left > 0 ? html`<div><button @click=${() => this.more(name)}>${t("surveys.more")} <span class="muted num">${t("appeals.left", { n: left })}</span></button></div>` : nothing}</section>`;
  }

  renderNone(rulings) {
    if (rulings.length) return html`<p class="muted">${t("appeals.empty")}</p>`;
    return html`<okno-notice .heading=${t("appeals.empty")} .text=${t(this.files ? "appeals.empty_next" : "appeals.empty_deciding")}></okno-notice>`;
  }

  renderList({ waiting, decided, rulings, state }) {
    return html`
      <h1>${t("nav.appeals")}</h1>
      <p class="muted">${t(this.files ? "appeals.about" : "appeals.about_deciding")}</p>
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}
      <okno-filters .fields=${[{ name: "state", label: t("appeals.show"), options: ["open", "decided", "all"].map((word) => [word, t(`appeals.show_${word}`)]) }]}
        .values=${{ state }} @filter=${(event) => replaceRoute("appeals", { query: { ...this.query, ...event.detail } })}></okno-filters>
      ${waiting.length ? html`<section class="list waiting"><h2>${t("appeals.waiting")}</h2>${waiting.map((one, place) => this.renderAppeal(one, place))}</section>` : nothing}
      ${this.renderSection("decided", decided, (one, place) => this.renderAppeal(one, waiting.length + place))}
      ${waiting.length + decided.length === 0 ? this.renderNone(rulings)
        : this.files ? nothing : html`<p class="note"><kbd>J</kbd> <kbd>K</kbd> ${t("alerts.keys_move")} · <kbd>⏎</kbd> ${t("appeals.take")}</p>`}
      ${this.renderSection("rulings", rulings, (one) => this.renderOpenRuling(one))}`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`${[1, 2, 3].map(() => html`<div class="skeleton wait"></div>`)}`;
    if (this.item)
      return html`<okno-appeal-decision .item=${this.item} @decided=${this.decided} @closed=${() => { this.item = null; }}></okno-appeal-decision>`;
    return this.renderList(this.data);
  }
}
customElements.define("okno-appeals", OknoAppeals);
