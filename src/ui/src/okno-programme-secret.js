// Where people give the seed: who looks promises a secret made by the browser for a day, and reveals it when the
// day is pinned. The browser keeps the secret in between; whoever reads the promise cannot tell it.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { canHash, hashText } from "./cs1.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { localDate } from "./time.js";

const makeSecret = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

class OknoProgrammeSecret extends OknoElement {
  static properties = { programme: {}, user: {}, zone: {}, days: { attribute: false }, day: { state: true }, promised: { state: true }, done: { state: true }, trouble: { state: true }, busy: { state: true } };

  static styles = [OknoElement.styles, css`
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: .75rem; background: var(--sunken); border-radius: .375rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; } input { font-size: .875rem; } input[name="secret"] { width: 18rem; max-width: 100%; }
    p { flex-basis: 100%; margin: 0; } .note { font-size: .75rem; color: var(--muted); } .trouble { color: var(--invalid); } code { overflow-wrap: anywhere; }
  `];

  /** The day that waits for a secret, the oldest first; else today. */
  willUpdate(changed) {
    if (!changed.has("days") || this.day) return;
    const waiting = this.days.filter(({ state }) => ["planned", "frozen", "checkpointed"].includes(state)).at(-1);
    this.day = waiting?.day ?? localDate(Date.now(), this.zone);
  }

  get key() { return `okno.secret.${this.programme}.${this.day}`; }

  async send(body) {
    Object.assign(this, { busy: true, trouble: "", done: "" });
    try {
      await post(`programmes/${encodeURIComponent(this.programme)}/secrets`, { day: this.day, who: this.user, ...body });
      return true;
    } catch (error) {
      this.trouble = errorText(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  async promise() {
    const secret = makeSecret();
    if (!(await this.send({ hash: await hashText(secret) }))) return;
    localStorage.setItem(this.key, secret);
    Object.assign(this, { promised: secret, done: t("programme.promised", { day: this.day }) });
    this.emit("programme-changed");
  }

  async reveal(event) {
    event.preventDefault();
    if (!(await this.send({ secret: new FormData(event.target).get("secret").trim() }))) return;
    localStorage.removeItem(this.key);
    Object.assign(this, { promised: "", done: t("programme.revealed", { day: this.day }) });
    this.emit("programme-changed");
  }

  render() {
    if (!canHash()) return html`<p class="note">${t("programme.no_hash", { command: `okno programme commit ${this.programme}` })}</p>`;
    return html`<form @submit=${this.reveal} aria-label=${t("programme.secrets")}>
      <p class="note">${t("programme.secret_how")}</p>
      <label>${t("programme.day")}<input type="date" name="day" required .value=${this.day} @input=${({ target }) => Object.assign(this, { day: target.value, promised: "", done: "" })}></label>
      <button type="button" ?disabled=${this.busy || !this.day} @click=${this.promise}>${t("programme.promise")}</button>
      <label>${t("programme.secret")}<input name="secret" required minlength="8" maxlength="64" autocomplete="off" spellcheck="false" .value=${localStorage.getItem(this.key) ?? ""}></label>
      <button ?disabled=${this.busy || !this.day}>${t("programme.reveal")}</button>
      ${this.done ? html`<p role="status">✓ ${this.done}</p>` : nothing}
      ${this.promised ? html`<p>${t("programme.keep")} <code>${this.promised}</code></p>` : nothing}
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}</form>`;
  }
}
customElements.define("okno-programme-secret", OknoProgrammeSecret);
