// The frame around every page: session, language, address, messages, help.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { get, post } from "./api.js";
import { dropAllDrafts } from "./comment-draft.js";
import { dropDrafts } from "./draft.js";
import { errorText } from "./errors.js";
import { language, setLanguage, t } from "./i18n.js";
import { isTyping, keyName } from "./keys.js";
import { parseRoute } from "./router.js";
import "./okno-alerts.js";
import "./okno-appeals.js";
import "./okno-archives.js";
import "./okno-audits.js";
import "./okno-devices.js";
import "./okno-draw.js";
import "./okno-dossier.js";
import "./okno-experts.js";
import "./okno-header.js";
import "./okno-help.js";
import "./okno-indicators.js";
import "./okno-login.js";
import "./okno-negatives.js";
import "./okno-notice.js";
import "./okno-periods.js";
import "./okno-review.js";
import "./okno-statements.js";
import "./okno-surveys.js";
import "./okno-toast.js";
import "./okno-users.js";

// What each role may open; the first is where it begins.
const pagesOf = {
  expert: ["review", "appeals", "experts", "audits"],
  staff: ["statements", "negatives", "appeals"],
  manager: ["indicators", "surveys", "negatives", "alerts", "appeals", "periods", "devices"],
  auditor: ["audits", "indicators", "surveys", "alerts", "periods", "appeals", "experts"],
  // Not the review: looking in would take a survey from the experts' queue.
  administrator: ["indicators", "surveys", "negatives", "alerts", "periods", "audits", "review", "appeals", "experts", "devices", "archives", "users"],
};

const allPages = [...new Set(Object.values(pagesOf).flat())];

// What covers all sites is closed to who sees some of them.
const ofAllSites = ["audits", "experts"];

class OknoApp extends OknoElement {
  static properties = {
    phase: { state: true }, // starting, out, in, error
    me: { state: true }, route: { state: true }, message: { state: true }, help: { state: true }, ended: { state: true },
    problem: { state: true },
  };

  static styles = [OknoElement.styles, css`
    :host { min-height: 100dvh; }
  `];

  constructor() {
    super();
    this.phase = "starting";
    this.help = this.ended = false;
    this.route = parseRoute(location.hash);
    this.onHash = () => { this.route = parseRoute(location.hash); };
  }

  connectedCallback() {
    super.connectedCallback();
    addEventListener("hashchange", this.onHash);
    setLanguage(rememberedLanguage());
    this.start();
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this.onHash);
    super.disconnectedCallback();
  }

  onKey(event) {
    if (this.phase === "in" && !this.help && !isTyping(event) && keyName(event) === "?") this.help = true;
  }

  willUpdate() {
    document.documentElement.lang = language();
    document.title = this.phase === "in" && this.page ? `${t(`nav.${this.page}`)} · okno` : "okno";
    rememberLanguage(language());
  }

  async start() {
    try {
      this.enter(await get("me"));
    } catch (error) {
      if (error.status === 401) this.phase = "out";
      else {
        this.problem = errorText(error);
        this.phase = "error";
      }
    }
  }

  enter(me) {
    this.me = me;
    this.ended = false;
    if (me.language) setLanguage(me.language); // null: nobody chose one; the browser's stays
    this.phase = "in";
  }

  get pages() {
    const pages = pagesOf[this.me?.role] ?? [];
    return this.me?.sites ? pages.filter((name) => !ofAllSites.includes(name)) : pages;
  }

  /** Who may take the steps of an audit. */
  get draws() { return this.me?.role === "auditor"; }

  /** "" is an address that leads nowhere: said, not replaced by another page. */
  get page() { return this.route.name === "" ? this.pages[0] : this.pages.includes(this.route.name) ? this.route.name : ""; }

  async leave() {
    await post("logout").catch(() => {});
    dropDrafts();
    dropAllDrafts();
    this.me = null;
    this.phase = "out";
  }

  sessionEnded() {
    this.ended = true;
    this.phase = "out";
  }

  async chooseLanguage(code) {
    setLanguage(code);
    try {
      await post("me", { language: code });
    } catch (error) {
      this.message = { text: errorText(error), tone: "amber" };
    }
  }

  renderNowhere() {
    const { name } = this.route;
    const closed = allPages.includes(name);
    return html`<okno-notice .heading=${closed ? t("error.page_closed", { name: t(`nav.${name}`) }) : t("error.page_unknown", { name })} .text=${closed ? t("error.page_next") : ""}>
      <a class="button" href="#/">${t("error.page_start")}</a></okno-notice>`;
  }

  renderPage() {
    const { query, id } = this.route;
    if (!this.page) return this.renderNowhere();
    if (this.me.sites?.length === 0 && this.page !== "statements")
      return html`<okno-notice .heading=${t("rights.none")} .text=${t("rights.none_next")}></okno-notice>`;
    switch (this.page) {
    case "review": return html`<okno-review .audit=${query.audit ?? ""} ?held=${this.help}></okno-review>`;
    case "indicators": return html`<okno-indicators .query=${query} .me=${this.me}></okno-indicators>`;
    case "surveys": return id ? html`<okno-dossier .id=${id} .me=${this.me}></okno-dossier>` : html`<okno-surveys .query=${query} .me=${this.me}></okno-surveys>`;
    case "periods": return html`<okno-periods .id=${id} .query=${query} .me=${this.me}></okno-periods>`;
    case "statements": return html`<okno-statements></okno-statements>`;
    case "alerts": return html`<okno-alerts .query=${query} .me=${this.me}></okno-alerts>`;
    case "negatives": return html`<okno-negatives .query=${query} .me=${this.me}></okno-negatives>`;
    case "appeals": return html`<okno-appeals .query=${query} .me=${this.me}></okno-appeals>`;
    case "experts": return html`<okno-experts .query=${query} .me=${this.me}></okno-experts>`;
    case "users": return html`<okno-users></okno-users>`;
    case "devices": return html`<okno-devices></okno-devices>`;
    case "archives": return html`<okno-archives></okno-archives>`;
    case "audits": return id && query.draw && this.draws ? html`<okno-draw .id=${id}></okno-draw>` : html`<okno-audits .me=${this.me} .draws=${this.draws} .id=${id} .pages=${this.pages}></okno-audits>`;
    default: return nothing;
    }
  }

  render() {
    if (this.phase === "starting") return nothing;
    if (this.phase === "error")
      return html`<okno-notice .text=${this.problem}><button class="primary" @click=${this.start}>${t("error.retry")}</button></okno-notice>`;
    if (this.phase === "out")
      return html`<okno-login ?ended=${this.ended} @logged-in=${(event) => this.enter(event.detail)}></okno-login>`;
    return html`
      <okno-header .me=${this.me} .pages=${this.pages} .page=${this.page} @language=${(event) => this.chooseLanguage(event.detail)}
        @log-out=${this.leave} @help-open=${() => { this.help = true; }}></okno-header>
      <main @toast=${(event) => { this.message = event.detail; }} @session-ended=${this.sessionEnded}>${this.renderPage()}</main>
      <okno-toast .message=${this.message}></okno-toast>
      ${this.help ? html`<okno-help @help-close=${() => { this.help = false; }}></okno-help>` : nothing}`;
  }
}

function rememberedLanguage() {
  try {
    return localStorage.getItem("okno.language") ?? navigator.language.slice(0, 2);
  } catch {
    return navigator.language.slice(0, 2);
  }
}

function rememberLanguage(code) {
  try {
    localStorage.setItem("okno.language", code);
  } catch {
    // Private windows may refuse: the account remembers it.
  }
}

customElements.define("okno-app", OknoApp);
