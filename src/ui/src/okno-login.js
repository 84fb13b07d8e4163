// The door.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { language, languages, setLanguage, t } from "./i18n.js";

class OknoLogin extends OknoElement {
  static properties = { ended: { type: Boolean }, busy: { state: true }, problem: { state: true } };

  static styles = [OknoElement.styles, css`
    :host { min-height: 100dvh; display: grid; grid-template-rows: 1fr auto 1.4fr; padding: 1rem; }
    .box { grid-row: 2; width: min(22rem, 100%); margin: 0 auto; }
    .mark { display: flex; align-items: baseline; gap: .5rem; margin-bottom: .25rem; }
    .mark h1 { font-size: 1.75rem; letter-spacing: -.02em; }
    form { display: grid; gap: 1rem; padding: 1.5rem; margin: 1.5rem 0 1rem; }
    label { display: grid; gap: .25rem; }
    form input { min-height: 2.5rem; padding: .25rem .75rem; }
    form button { min-height: 2.5rem; }
    .problem { color: var(--invalid); }
    .languages { display: flex; gap: .25rem; }
    .languages button[aria-pressed="true"] { color: var(--text); font-weight: 600; }
  `];

  firstUpdated() {
    this.renderRoot.querySelector("input").focus();
  }

  async submit(event) {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    this.busy = true;
    this.problem = "";
    try {
      this.emit("logged-in", await post("login", fields));
    } catch (error) {
      this.problem = error.status === 401 ? t("login.wrong") : error.status === 429 ? t("login.slow") : errorText(error);
      this.renderRoot.querySelector("[name=password]").select();
    } finally {
      this.busy = false;
    }
  }

  render() {
    return html`
      <main class="box">
        <div class="mark"><h1>okno</h1></div>
        <p class="muted">${t("login.about")}</p>
        <form class="card" method="post" @submit=${this.submit}>
          ${this.ended ? html`<p role="status">${t("login.again")}</p>` : nothing}
          <label>${t("login.user")}<input name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
          <label>${t("login.password")}<input name="password" type="password" autocomplete="current-password" required></label>
          ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
          <button class="primary" ?disabled=${this.busy}>${t("login.go")} <kbd>⏎</kbd></button>
        </form>
        <div class="languages" role="group" aria-label=${t("nav.language")}>${languages.map((code) => html`
          <button class="quiet" lang=${code} aria-pressed=${String(language() === code)}
            @click=${() => setLanguage(code)}>${{ en: "English", ru: "Русский" }[code]}</button>`)}</div>
      </main>`;
  }
}
customElements.define("okno-login", OknoLogin);
