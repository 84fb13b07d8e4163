// The public keys by which auditors sign: each registers and ends the own ones. The private halves never come here.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { formatDay } from "./time.js";

/** What is to stay with its owner, by what its file says. */
const isPrivate = (text) => /PRIVATE KEY|secret key/i.test(text);

/** "ssh 3f2a91…", as one tells keys of one person apart. */
export const keyName = ({ kind, fingerprint }) => `${kind} ${fingerprint.slice(0, 8)}…`;

class OknoAuditKeys extends OknoElement {
  static properties = { keys: { attribute: false }, user: {}, zone: {}, busy: { state: true }, trouble: { state: true }, adding: { state: true }, ending: { state: true } };

  static styles = [OknoElement.styles, css`
    article { padding: 1rem; display: grid; gap: .75rem; grid-template-columns: minmax(0, 1fr); }
    li { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; padding: .375rem 0; border-top: 1px solid var(--line); }
    li:first-child { border-top: 0; }
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; } label.wide { flex: 1 1 20rem; } textarea { font-size: .8125rem; }
    pre { overflow-x: auto; margin: 0; font-size: .75rem; }
    .end { margin-left: auto; } .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    .trouble { color: var(--invalid); } button { justify-self: start; }
  `];

  async act(path, body) {
    Object.assign(this, { busy: true, trouble: "" });
    try {
      const { keys } = await post(path, body);
      Object.assign(this, { adding: false, ending: null });
      this.emit("keys-changed", keys);
    } catch (error) {
      if (error.status === undefined) throw error;
      this.trouble = errorText(error);
    } finally {
      this.busy = false;
    }
  }

  add(event) {
    event.preventDefault();
    const key = new FormData(event.target).get("key").trim();
    if (isPrivate(key)) this.trouble = t("keys.private");
    else this.act("audit-keys", { key });
  }

  async read(input) {
    const [file] = input.files;
    input.value = this.trouble = "";
    if (file) this.renderRoot.querySelector("textarea").value = file.size > 16384 ? "" : await file.text();
  }

  renderKey(key) {
    const own = key.auditor === this.user && !key.revoked_at;
    return html`<li><b>${key.auditor}</b> <span class="num">${keyName(key)}</span>
      <span class="small">SHA-256 ${key.fingerprint} · ${key.revoked_at ? t("keys.revoked", { day: formatDay(key.revoked_at, this.zone) }) : t("keys.since", { day: formatDay(key.registered_at, this.zone) })}</span>
      ${own ? html`<span class="end">${this.ending === key.fingerprint
    ? html`<span>${t("keys.revoke_sure")}</span> <button ?disabled=${this.busy} @click=${() => this.act(`audit-keys/${key.fingerprint}/revoke`, {})}>${t("keys.revoke_do")}</button>`
    : html`<button class="quiet" @click=${() => { this.ending = key.fingerprint; }}>${t("keys.revoke")}</button>`}</span>` : nothing}</li>`;
  }

  renderForm() {
    return html`<p class="small">${t("keys.how")}</p>
      <pre>minisign -G -p okno.pub -s okno.key
ssh-keygen -t ed25519 -f okno</pre>
      <form @submit=${this.add}>
        <label class="wide">${t("keys.text")}<textarea name="key" rows="3" required maxlength="16384" autocomplete="off" spellcheck="false"></textarea></label>
        <label>${t("keys.file")}<input type="file" @change=${(event) => this.read(event.target)}></label>
        <button class="primary" ?disabled=${this.busy}>${t("keys.add")}</button>
        <button type="button" @click=${() => Object.assign(this, { adding: false, trouble: "" })}>${t("attribution.cancel")}</button></form>`;
  }

  render() {
    return html`<article class="card">
      <h2>${t("keys.title")}</h2>
      ${this.keys.length ? html`<ul>${this.keys.map((key) => this.renderKey(key))}</ul>` : html`<p class="small">${t("keys.none")}</p>`}
      ${this.adding ? this.renderForm() : html`<button @click=${() => { this.adding = true; }}>${t("keys.new")}</button>`}
      ${this.trouble ? html`<p class="trouble" role="alert">${this.trouble}</p>` : nothing}</article>`;
  }
}
customElements.define("okno-audit-keys", OknoAuditKeys);
