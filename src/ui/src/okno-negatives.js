// Negative ratings that wait for a word of staff: photo, age, a box to write in; how soon people react.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post, serviceNow, withQuery } from "./api.js";
import { draftOf, dropDraft, keepDraft } from "./comment-draft.js";
import { errorText } from "./errors.js";
import { pointName, siteName, zoneOf } from "./filters.js";
import { formatNumber } from "./format.js";
import { language, t } from "./i18n.js";
import { isPressing, isTyping, keyName } from "./keys.js";
import { link, replaceRoute } from "./router.js";
import { formatAge, formatWhen } from "./time.js";
import "./okno-filters.js";
import "./okno-notice.js";

const pageSize = 50;

class OknoNegatives extends PageElement {
  static properties = {
    me: { attribute: false }, data: { state: true }, at: { state: true }, tags: { state: true }, sending: { state: true }, trouble: { state: true },
  };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 72rem; margin: 0 auto; align-content: start; }
    .figures { display: flex; flex-wrap: wrap; gap: .5rem; }
    .figures .card { padding: .5rem .75rem; min-width: 12rem; }
    .figures b { font-size: 1.25rem; }
    .tagcount { font-size: .75rem; color: var(--muted); display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
    .list { display: grid; gap: .5rem; }
    article { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: .5rem 1rem; padding: .75rem; }
    article.current { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
    img, .none { display: block; width: 100%; aspect-ratio: 16 / 9; object-fit: cover; border-radius: .25rem; background: var(--sunken); }
    article.current { grid-template-columns: minmax(0, 24rem) minmax(0, 1fr); }
    .none { display: grid; place-content: center; font-size: .75rem; color: var(--muted); }
    .words { display: grid; gap: .375rem; align-content: start; }
    .age { color: var(--invalid); font-weight: 600; }
    .note { font-size: .75rem; color: var(--muted); }
    .tags { display: flex; flex-wrap: wrap; gap: .25rem; }
    .tags button { min-height: 1.75rem; padding: .125rem .5rem; font-size: .8125rem; }
    .tags button[aria-pressed="true"] { background: var(--accent-soft); border-color: var(--accent); }
    textarea { width: 100%; min-height: 4.5rem; }
    .said { border-left: 2px solid var(--line); padding-left: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
    .trouble { color: var(--invalid); }
    .wait { height: 8rem; }
    @media (max-width: 48rem) {
      :host { padding: .75rem .5rem; }
      article { grid-template-columns: 6rem minmax(0, 1fr); }
      article.current { grid-template-columns: minmax(0, 1fr); }
      .figures .card { flex: 1 1 10rem; min-width: 0; }
    }
  `];

  constructor() {
    super();
    this.at = 0;
    this.tags = [];
  }

  get comments() { return ["staff", "manager", "administrator"].includes(this.me?.role); }

  async load() {
    const { site, commented = "false" } = this.query;
    const path = withQuery("negatives", { site, commented: commented === "all" ? "" : commented, limit: pageSize });
    const figures = this.me?.role === "staff" ? Promise.resolve(null) : get(withQuery("reaction", { site }));
    const [{ sites }, { tags }, { negatives, next }, reaction] = await Promise.all([get("sites"), get("tags"), get(path), figures]);
    return () => { Object.assign(this, { data: { sites, known: tags, negatives, next, path, reaction }, at: 0, tags: [], trouble: "" }); };
  }

  onKey(event) {
    if (!this.data || this.data.negatives.length === 0) return;
    if (isTyping(event)) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.send();
      if (event.key === "Escape") event.composedPath()[0].blur();
      return;
    }
    if (isPressing(event)) return;
    const key = keyName(event);
    const tag = this.data.known.find((one) => one.key === key);
    if (key === "j" || key === "k") this.move(key === "j" ? 1 : -1);
    else if (key === "c") this.renderRoot.querySelector("textarea")?.focus();
    else if (key === "v") location.hash = link("surveys", { id: this.data.negatives[this.at].rating });
    else if (tag && this.comments) this.toggle(tag.id);
    else return;
    event.preventDefault();
  }

  async move(by) {
    this.at = Math.min(Math.max(this.at + by, 0), this.data.negatives.length - 1);
    this.tags = [];
    this.trouble = "";
    await this.updateComplete;
    this.renderRoot.querySelector("article.current")?.scrollIntoView({ block: "nearest" });
  }

  toggle(id) {
    this.tags = this.tags.includes(id) ? this.tags.filter((one) => one !== id) : [...this.tags, id];
  }

  async send() {
    const one = this.data.negatives[this.at];
    const text = draftOf(one.rating);
    if (this.sending || (!text.trim() && this.tags.length === 0)) {
      this.trouble = this.sending ? "" : t("negatives.say_something");
      return;
    }
    this.sending = true;
    try {
      await post(`negatives/${encodeURIComponent(one.rating)}/comments`, { text, tags: this.tags });
      dropDraft(one.rating);
      this.emit("toast", { text: t("negatives.sent") });
      const said = { id: 0, rating: one.rating, at: new Date(serviceNow()).toISOString(), user: this.me.user, text, tags: this.tags };
      this.took(one, said);
    } catch (error) {
      this.trouble = errorText(error);
    } finally {
      this.sending = false;
    }
  }

  /** The list of those without a comment grows shorter; the others stay. */
  took(one, said) {
    const stays = (this.query.commented ?? "false") !== "false";
    const negatives = stays ? this.data.negatives.map((other) => (other === one ? { ...one, comments: [...one.comments, said] } : other))
      : this.data.negatives.filter((other) => other !== one);
    this.data = { ...this.data, negatives };
    this.at = Math.min(this.at, Math.max(0, negatives.length - 1));
    this.tags = [];
    this.trouble = "";
    this.renderRoot.querySelector("textarea")?.blur();
  }

  async more() {
    const { data } = this;
    const { negatives, next } = await get(`${data.path}&cursor=${encodeURIComponent(data.next)}`);
    if (this.data === data) this.data = { ...data, negatives: [...data.negatives, ...negatives], next };
  }

  place({ site, point }) {
    return `${siteName(this.data.sites, site)}, ${pointName(this.data.sites, point)}`;
  }

  tagName(id) {
    return this.data.known.find((one) => one.id === id)?.[language()] ?? id;
  }

  renderPhoto(one) {
    const alt = t("still.alt", { place: this.place(one), when: formatWhen(one.answered_at, zoneOf(this.data.sites, one.site)) });
    return one.still ? html`<img src="/api/v1/evidence/${one.still}.jpg" alt=${alt} loading="lazy">` : html`<span class="none">${t("still.none")}</span>`;
  }

  renderSaid(one, zone) {
    return one.comments.map((said) => html`<div class="said">${said.text}
      ${said.tags.length ? html`<div class="note">${said.tags.map((id) => this.tagName(id)).join(" · ")}</div>` : nothing}
      <div class="note num">${said.user}, ${formatWhen(said.at, zone)}</div></div>`);
  }

  renderBox(one) {
    return html`
      <div class="tags" role="group" aria-label=${t("negatives.tags")}>${this.data.known.map((tag) => html`
        <button aria-pressed=${String(this.tags.includes(tag.id))} @click=${() => this.toggle(tag.id)}>${tag[language()]} <kbd>${tag.key}</kbd></button>`)}</div>
      <textarea maxlength="2000" aria-label=${t("negatives.box")} placeholder=${t("negatives.placeholder")} .value=${draftOf(one.rating)}
        @input=${(event) => keepDraft(one.rating, event.target.value)}></textarea>
      ${this.trouble ? html`<div class="trouble" role="alert">${this.trouble}</div>` : nothing}
      <div><button class="primary" ?disabled=${this.sending} @click=${this.send}>${t("negatives.send")} <kbd>Ctrl ⏎</kbd></button></div>`;
  }

  renderOne(one, place) {
    const zone = zoneOf(this.data.sites, one.site);
    const current = place === this.at;
    const waits = one.comments.length === 0;
    const staff = this.me?.role === "staff";
    return html`
      <article class="card ${current ? "current" : ""}" @click=${() => { if (!current) this.move(place - this.at); }}>
        <div>${this.renderPhoto(one)}</div>
        <div class="words">
          <div><b>${this.place(one)}</b> · ${one.employee ?? t("kpi.unassigned")}</div>
          <div class="num">${formatWhen(one.answered_at, zone)}${waits ? html` · <span class="age">${t("negatives.age", { age: formatAge(serviceNow() - Date.parse(one.answered_at)) })}</span>` : nothing}</div>
          ${staff ? (one.clip ? html`<div><a href="/api/v1/evidence/${one.clip}.mp4">${t("negatives.video")}</a></div>` : nothing)
            : html`<div><a href=${link("surveys", { id: one.rating })}>${t("negatives.dossier")}</a> ${current ? html`<kbd>V</kbd>` : nothing}</div>`}
          ${this.renderSaid(one, zone)}
          ${current && this.comments ? this.renderBox(one) : nothing}
        </div>
      </article>`;
  }

  renderFigures({ sites, tags }) {
    return html`
      <div class="figures">${sites.map((one) => html`<div class="card">
        <h3>${siteName(this.data.sites, one.site)}</h3>
        <div class="num"><b>${formatNumber(one.negatives - one.commented)}</b> ${t("negatives.waiting", { total: formatNumber(one.negatives) })}</div>
        <div class="note num">${one.median_s === null ? t("negatives.no_reaction") : t("negatives.reaction", { median: formatAge(one.median_s * 1000), p90: formatAge(one.p90_s * 1000) })}</div></div>`)}</div>
      ${tags.length ? html`<div class="tagcount num">${tags.map(({ tag, count }) => html`<span>${this.tagName(tag)} ${formatNumber(count)}</span>`)}</div>` : nothing}`;
  }

  fields() {
    return [
      { name: "commented", label: t("negatives.show"), options: [["false", t("negatives.open")], ["true", t("negatives.done")], ["all", t("filter.all")]] },
      { name: "site", label: t("filter.site"), options: [["", t("filter.all")], ...this.data.sites.map(({ site, name }) => [site, name])] },
    ];
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.data) return html`${[1, 2, 3].map(() => html`<div class="skeleton wait"></div>`)}`;
    const { negatives, next, reaction } = this.data;
    return html`
      <h1>${t("nav.negatives")}</h1>
      <okno-filters .fields=${this.fields()} .values=${{ commented: "false", ...this.query }} ?clearable=${Object.keys(this.query).length > 0}
        @filter=${(event) => replaceRoute("negatives", { query: { ...this.query, ...event.detail } })} @clear=${() => replaceRoute("negatives", {})}></okno-filters>
      ${reaction ? this.renderFigures(reaction) : nothing}
      ${negatives.length === 0 ? html`<okno-notice .heading=${t("negatives.empty")} .text=${t("negatives.empty_next")}></okno-notice>`
        : html`<div class="list">${negatives.map((one, place) => this.renderOne(one, place))}</div>
          <p class="note"><kbd>J</kbd> <kbd>K</kbd> ${t("alerts.keys_move")} · <kbd>C</kbd> ${t("negatives.key_comment")}</p>`}
      ${next ? html`<div><button @click=${this.more}>${t("surveys.more")}</button></div>` : nothing}`;
  }
}

customElements.define("okno-negatives", OknoNegatives);
