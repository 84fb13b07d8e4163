// One destination of messages, to be made or edited: saving makes its next version. Secrets are named, not typed.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";

const kinds = ["webhook", "telegram", "email"];

// What each kind asks for; a star: it cannot do without.
const asks = {
  webhook: ["url*", "secret*", "old_secret"],
  telegram: ["chat*", "secret*"],
  email: ["url*", "address*", "sender*", "user", "secret"],
};
const hints = {
  webhook: { url: "https://example.org/okno", secret: "hook", old_secret: "" },
  telegram: { chat: "-1001234567890", secret: "bot" },
  email: { url: "smtp://mail.example.org:587", address: "head@example.org", sender: "okno@example.org", user: "okno", secret: "mail" },
};
const longest = { url: 1000, chat: 64, secret: 64, old_secret: 64, address: 254, sender: 254, user: 254, quiet: 11, time_zone: 64, destination: 64 };

export const newDestination = () => ({ destination: "", kind: "webhook", url: "", chat: "", address: "", sender: "", user: "", secret: "", old_secret: "", tls: "required",
  language: "en", time_zone: "UTC", quiet: "", photo: false, enabled: true });

class OknoDestination extends OknoElement {
  static properties = { destination: { attribute: false }, draft: { state: true }, trouble: { state: true }, saving: { state: true } };

  static styles = [OknoElement.styles, css`
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: .75rem; background: var(--sunken); border-radius: .375rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    label.tick { display: flex; gap: .375rem; align-items: center; min-height: 2rem; font-size: .875rem; }
    input, select { font-size: .875rem; } input.wide { width: 16rem; max-width: 100%; }
    .trouble { color: var(--invalid); } .trouble, .note { flex-basis: 100%; }
    .note { font-size: .75rem; color: var(--muted); }
    .do { display: flex; gap: .5rem; }
  `];

  willUpdate(changed) {
    if (!changed.has("destination")) return;
    const fields = Object.entries(newDestination()).map(([name, fallback]) => [name, this.destination[name] ?? fallback]);
    Object.assign(this, { draft: Object.fromEntries(fields), trouble: "" });
  }

  set(name, value) {
    this.draft = { ...this.draft, [name]: value };
  }

  /** Only what the kind knows: what another kind left behind would be refused. */
  body() {
    const own = ["destination", "kind", "language", "time_zone", "quiet", "enabled", ...asks[this.draft.kind].map((name) => name.replace("*", ""))];
    if (this.draft.kind !== "webhook") own.push("photo");
    if (this.draft.kind === "email") own.push("tls");
    return Object.fromEntries(own.map((name) => [name, this.draft[name]]));
  }

  async save(event) {
    event.preventDefault();
    this.saving = true;
    try {
      await post("destinations", this.body());
      this.emit("destination-saved");
    } catch (error) {
      this.trouble = errorText(error);
    } finally {
      this.saving = false;
    }
  }

  renderText(name, { required = false, hint = "" } = {}) {
    return html`<label>${t(`destination.${name}`)}<input class="wide" name=${name} .value=${this.draft[name]} ?required=${required} maxlength=${longest[name]}
      placeholder=${hint || nothing} autocomplete="off" spellcheck="false" @input=${(event) => this.set(name, event.target.value.trim())}></label>`;
  }

  renderChoice(name, options) {
    return html`<label>${t(`destination.${name}`)}<select name=${name} @change=${(event) => this.set(name, event.target.value)}>
      ${options.map(([id, text]) => html`<option value=${id} ?selected=${id === this.draft[name]}>${text}</option>`)}</select></label>`;
  }

  renderTick(name) {
    return html`<label class="tick"><input type="checkbox" name=${name} .checked=${this.draft[name]} @change=${(event) => this.set(name, event.target.checked)}>${t(`destination.${name}`)}</label>`;
  }

  render() {
    const { kind } = this.draft;
    const fresh = !this.destination.destination;
    return html`<form @submit=${this.save}>
      ${fresh ? html`${this.renderText("destination", { required: true, hint: "team" })}${this.renderChoice("kind", kinds.map((one) => [one, t(`destination.kind_${one}`)]))}` : nothing}
      ${asks[kind].map((name) => this.renderText(name.replace("*", ""), { required: name.endsWith("*"), hint: hints[kind][name.replace("*", "")] }))}
      ${kind === "email" ? this.renderChoice("tls", ["required", "offered"].map((one) => [one, t(`destination.tls_${one}`)])) : nothing}
      ${this.renderChoice("language", [["en", "English"], ["ru", "Русский"]])}
      ${this.renderText("quiet", { hint: "22:00-08:00" })}${this.renderText("time_zone", { hint: "Europe/Moscow" })}
      ${kind === "webhook" ? nothing : this.renderTick("photo")}${this.renderTick("enabled")}
      <div class="note">${t("destination.secret_how")}</div>
      ${this.trouble ? html`<div class="trouble" role="alert">${this.trouble}</div>` : nothing}
      <div class="do"><button class="primary" ?disabled=${this.saving}>${t("alerts.save")}</button>
        <button type="button" class="quiet" @click=${() => this.emit("destination-closed")}>${t("alerts.cancel")}</button></div>
    </form>`;
  }
}
customElements.define("okno-destination", OknoDestination);
