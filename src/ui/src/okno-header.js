// Where one can go, in which language, and who one is.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { language, languages, t } from "./i18n.js";
import { link } from "./router.js";

// Who may open more pages than one line holds finds them in groups.
const groups = { figures: ["indicators", "surveys", "periods"], signals: ["negatives", "alerts", "appeals"], audit: ["audits", "review", "experts"], setup: ["devices", "archives", "users"] };
const inLineMax = 8;

class OknoHeader extends OknoElement {
  static properties = { me: { attribute: false }, pages: { attribute: false }, page: {}, open: { state: true } };

  static styles = [OknoElement.styles, css`
    header { display: flex; align-items: center; gap: .25rem 1rem; flex-wrap: wrap; padding: 0 1rem; min-height: 2.75rem;
      background: var(--surface); border-bottom: 1px solid var(--line); }
    .mark { font-weight: 700; font-size: 1rem; letter-spacing: -.01em; color: var(--text); }
    nav { display: flex; gap: .25rem; flex: 1; position: relative; }
    nav a, .group > button { white-space: nowrap; color: var(--muted); padding: .625rem .5rem; border: 0; border-bottom: 2px solid transparent; border-radius: 0; margin-bottom: -1px; background: none; font-weight: inherit; }
    nav a:hover, .group > button:hover { color: var(--text); text-decoration: none; }
    nav a[aria-current], .group > button.here { color: var(--text); font-weight: 600; border-color: var(--accent); }
    .group { position: relative; }
    .menu { position: absolute; z-index: 5; top: 100%; left: 0; min-width: 12rem; display: grid; padding: .25rem; background: var(--surface); border: 1px solid var(--line); border-radius: 0 0 .375rem .375rem; box-shadow: var(--shadow); }
    .menu a { border: 0; border-radius: .25rem; margin: 0; padding: .5rem .75rem; }
    .menu a:hover, .menu a[aria-current] { background: var(--accent-soft); }
    .where { color: var(--muted); font-weight: 400; }
    .right { display: flex; align-items: center; gap: .25rem; }
    .who { padding: 0 .25rem; }
    .right button { min-height: 1.75rem; }
    button[aria-pressed="true"] { color: var(--text); font-weight: 600; }
    @media print { :host { display: none; } }
    @media (max-width: 56rem) {
      header { padding: 0 .5rem; }
      nav { order: 3; flex-basis: 100%; overflow-x: auto; }
      nav.grouped { overflow: visible; justify-content: space-between; }
      nav { gap: 0; }
      nav a, .group > button { padding: .375rem; }
      .group { position: static; }
      .menu { right: 0; }
      .where, .who { display: none; }
      .right { flex: 1; justify-content: flex-end; }
    }
  `];

  #away = (event) => { if (!event.composedPath().includes(this)) this.open = null; };

  connectedCallback() {
    super.connectedCallback();
    addEventListener("pointerdown", this.#away);
  }

  disconnectedCallback() {
    removeEventListener("pointerdown", this.#away);
    super.disconnectedCallback();
  }

  onKey(event) {
    if (event.key !== "Escape" || !this.open) return;
    const name = this.open;
    this.open = null;
    this.renderRoot.querySelector(`button[name=${name}]`)?.focus();
  }

  willUpdate(changed) {
    if (changed.has("page")) this.open = null;
  }

  renderLink(name) {
    return html`<a href=${link(name)} aria-current=${this.page === name ? "page" : nothing} @click=${() => { this.open = null; }}>${t(`nav.${name}`)}</a>`;
  }

  renderGroup([group, names]) {
    const mine = names.filter((name) => this.pages.includes(name));
    const here = mine.includes(this.page);
    const open = this.open === group;
    return html`<div class="group">
      <button name=${group} class=${here ? "here" : ""} aria-expanded=${String(open)} @click=${() => { this.open = open ? null : group; }}>
        <span>${t(`nav.group_${group}`)}${here ? html` <span class="where">· ${t(`nav.${this.page}`)}</span>` : nothing} <span aria-hidden="true">▾</span></span></button>
      ${open ? html`<div class="menu">${mine.map((name) => this.renderLink(name))}</div>` : nothing}</div>`;
  }

  renderPages() {
    if (this.pages.length <= inLineMax) return html`<nav aria-label=${t("nav.pages")}>${this.pages.map((name) => this.renderLink(name))}</nav>`;
    return html`<nav class="grouped" aria-label=${t("nav.pages")}>${Object.entries(groups).map((one) => this.renderGroup(one))}</nav>`;
  }

  render() {
    return html`
      <header>
        <a class="mark" href="#/">okno</a>
        ${this.renderPages()}
        <div class="right">
          <span class="who muted">${this.me.name || this.me.user}</span>
          <span role="group" aria-label=${t("nav.language")}>${languages.map((code) => html`
            <button class="quiet" lang=${code} aria-pressed=${String(language() === code)}
              @click=${() => this.emit("language", code)}>${code.toUpperCase()}</button>`)}</span>
          <button class="quiet" aria-label=${t("nav.help")} title=${t("nav.help")} @click=${() => this.emit("help-open")}><kbd>?</kbd></button>
          <button class="quiet" @click=${() => this.emit("log-out")}>${t("nav.logout")}</button>
        </div>
      </header>`;
  }
}
customElements.define("okno-header", OknoHeader);
