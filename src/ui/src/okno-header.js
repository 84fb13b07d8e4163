// Where one can go, in which language, and who one is.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { language, languages, t } from "./i18n.js";
import { link } from "./router.js";

class OknoHeader extends OknoElement {
  static properties = { me: { attribute: false }, pages: { attribute: false }, page: {} };

  static styles = [OknoElement.styles, css`
    header { display: flex; align-items: center; gap: .25rem 1rem; flex-wrap: wrap; padding: 0 1rem; min-height: 2.75rem;
      background: var(--surface); border-bottom: 1px solid var(--line); }
    .mark { font-weight: 700; font-size: 1rem; letter-spacing: -.01em; color: var(--text); }
    nav { display: flex; gap: .25rem; flex: 1; }
    nav a { white-space: nowrap; color: var(--muted); padding: .625rem .5rem; border-bottom: 2px solid transparent; margin-bottom: -1px; }
    nav a:hover { color: var(--text); text-decoration: none; }
    nav a[aria-current] { color: var(--text); font-weight: 600; border-color: var(--accent); }
    .right { display: flex; align-items: center; gap: .25rem; }
    .who { padding: 0 .25rem; }
    .right button { min-height: 1.75rem; }
    button[aria-pressed="true"] { color: var(--text); font-weight: 600; }
    @media print { :host { display: none; } }
    @media (max-width: 48rem) {
      header { padding: 0 .5rem; }
      nav { order: 3; flex-basis: 100%; overflow-x: auto; }
      nav { gap: 0; }
      nav a { padding: .375rem; }
      .right { flex: 1; justify-content: flex-end; }
      .who { display: none; }
    }
  `];

  render() {
    return html`
      <header>
        <a class="mark" href="#/">okno</a>
        <nav aria-label=${t("nav.pages")}>${this.pages.map((name) => html`
          <a href=${link(name)} aria-current=${this.page === name ? "page" : nothing}>${t(`nav.${name}`)}</a>`)}</nav>
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
